"""What every worker process uses: services, claims, the broker, metrics, the device, and limits."""
