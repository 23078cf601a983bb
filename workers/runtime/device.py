"""The JAX device of this process, prepared before anything is compiled."""

from __future__ import annotations

from pathlib import Path


def prepare(home: Path) -> None:
    """Cache compiled programs in the home folder, so that a process that starts again is warm in seconds.

    A cache that the environment sets (`JAX_COMPILATION_CACHE_DIR`) is used instead.
    """
    import jax

    if jax.config.values["jax_compilation_cache_dir"] is None:
        folder = home.absolute() / "cache" / "jax"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
