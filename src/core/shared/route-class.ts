const SEGMENT = /^[A-Za-z][A-Za-z0-9_-]{0,31}$/

/**
 * The class a request is counted under: method and first path segment, or `*` when the segment looks like an id.
 *
 * @example routeClass('GET', '/cart/17?x=1') // 'GET /cart'
 */
export function routeClass(method: string, path: string): string {
  let end = 1
  while (end < path.length && end <= 33) {
    const code = path.charCodeAt(end)
    if (code === 47 || code === 63 || code === 35) break
    end += 1
  }
  if (end === 1) return `${method} /`
  const segment = path.slice(1, end)
  return SEGMENT.test(segment) ? `${method} /${segment}` : `${method} /*`
}
