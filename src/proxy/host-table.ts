import { type Entry, isWithin } from '../core/shared/entry.ts'

type PathOf<T> = { path: string; value: T }

/**
 * Whose a request is, by host and path: the exact name first, then the pattern for its first label, then those that take
 * every host; among them the longest path that fits. Who has no path that fits leaves the request to the next.
 */
export class HostTable<T> {
  private readonly exact = new Map<string, PathOf<T>[]>()
  /** By what stands behind the star: `.example.org`. */
  private readonly patterns = new Map<string, PathOf<T>[]>()
  private readonly every: PathOf<T>[] = []

  constructor(members: Iterable<readonly [T, Entry]>) {
    for (const [value, { hosts, paths }] of members)
      for (const path of paths ?? ['/'])
        for (const host of hosts ?? [null]) this.listFor(host).push({ path, value })
    for (const list of [...this.exact.values(), ...this.patterns.values(), this.every])
      list.sort((one, other) => other.path.length - one.path.length)
  }

  /** `host` as `hostName` makes it; `path` begins with a slash and may have a query. */
  find(host: string, path: string): T | null {
    return (
      longest(this.exact.get(host), path) ??
      longest(this.patternsFor(host), path) ??
      longest(this.every, path)
    )
  }

  /** Who takes this host, whatever the path: for a certificate, which is shown before there is a path. */
  ofHost(host: string): T | null {
    return (this.exact.get(host) ?? this.patternsFor(host) ?? this.every)[0]?.value ?? null
  }

  private patternsFor(host: string): PathOf<T>[] | undefined {
    const dot = host.indexOf('.')
    return dot < 1 ? undefined : this.patterns.get(host.slice(dot))
  }

  private listFor(host: string | null): PathOf<T>[] {
    if (host === null) return this.every
    const [map, key] = host.startsWith('*') ? [this.patterns, host.slice(1)] : [this.exact, host]
    const list = map.get(key) ?? []
    map.set(key, list)
    return list
  }
}

const longest = <T>(list: readonly PathOf<T>[] | undefined, path: string): T | null =>
  list?.find((one) => isWithin(path, one.path))?.value ?? null
