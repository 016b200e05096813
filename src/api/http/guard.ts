const loopbackNames = new Set(['localhost', '127.0.0.1', '[::1]', '::1'])

/** Whether an address to bind (or a name in a Host header) stays on this machine. */
export const isLoopback = (host: string): boolean => loopbackNames.has(host) || /^127(?:\.\d{1,3}){3}$/.test(host)

const nameOf = (host: string): string => host.replace(/:\d+$/, '')

/**
 * While there are no keys, who reaches the port may do anything. A page in the user's own browser is kept out: its requests carry
 * the host name that was resolved to loopback (DNS rebinding), or, on a WebSocket, its own origin.
 */
export function isLocalCaller({ host, origin }: { host?: string | undefined; origin?: string | undefined }): boolean {
  if (host !== undefined && !isLoopback(nameOf(host))) return false
  if (origin === undefined) return true
  try {
    return isLoopback(new URL(origin).hostname)
  } catch {
    return false
  }
}
