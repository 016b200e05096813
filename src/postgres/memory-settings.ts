const mebibyte = 2 ** 20

/**
 * What the embedded server may use, by the machine's memory in bytes; `limit` is what a container grants (0 or none: no limit). Its
 * defaults are those of a machine with very little. All of it is as safe in a crash as the defaults are: checkpoints come less often while
 * much is written, for which the log on disk may grow to 2 GiB instead of 1.
 */
export function memorySettings(total: number, limit?: number): Record<string, string> {
  const memory = limit !== undefined && limit > 0 ? Math.min(total, limit) : total
  const share = (part: number, least: number, most: number) => `${Math.round(Math.min(most, Math.max(least, memory / part / mebibyte)))}MB`
  return {
    shared_buffers: share(8, 128, 1024),
    effective_cache_size: share(2, 256, 65_536),
    maintenance_work_mem: share(64, 64, 256),
    max_wal_size: '2GB',
    checkpoint_timeout: '15min',
  }
}
