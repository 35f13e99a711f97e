import { type Door, showingsAt, shownToOthers } from './door.ts'
import { certificateOf } from './names.ts'
import type { Placed } from './own.ts'

/** The file beside the configuration that says which certificate is shown for which name. */
export const certificateListOf = ({ name }: Pick<Door, 'name'>): string => `${name}.crts`

/**
 * The first line is for whoever names no host that is here; `!*` keeps the names inside of that certificate out of it, so
 * that hosts of services alone decide. Where each pair is read from stands beside, so that a move of it is seen.
 */
export function certificateListText(door: Door): string {
  const fallback = shownToOthers(door)
  if (!door.isSecure || fallback === undefined) return ''
  const lines = showingsAt(door).flatMap(({ placed, names, patterns }) => {
    const all = [...names, ...patterns]
    return all.length === 0 ? [] : [`${fileOf(placed)} ${all.join(' ')}`]
  })
  const read = door.members.map(({ place: { tls } }) => `# ${JSON.stringify([tls?.certificate, tls?.key])}`)
  return `${[...read, `${fileOf(fallback)} !*`, ...lines].join('\n')}\n`
}

const fileOf = ({ routes }: Placed): string => certificateOf(routes.service)
