import type { Names } from './names.ts'

/** What nginx answers by itself where an instance did not, or not in time, or was not asked for all of a body. */
const OWN_STATUSES = [413, 502, 504]

/** Was anybody there? Must stand in the configuration once. */
export const UNREACHED =
  'map $upstream_connect_time $sluice_error { default ""; "~^(?:.*, )?-$" INSTANCE_UNREACHABLE; }'

const placeOf = (status: number, names: Names): string => names.location(`own_${status}`)

/**
 * In each location that asks an instance, after what it says about a status itself: the instance's own answers pass, and
 * none of them is asked whether it is one of nginx's.
 */
export const unreachedPages = (names: Names): string[] =>
  OWN_STATUSES.map((status) => `        error_page ${status} ${placeOf(status, names)};`)

/** In the same server. The mark tells a client that its request came to nobody. */
export const unreachedLocations = (names: Names, lines: readonly string[]): string[] =>
  OWN_STATUSES.flatMap((status) => [
    `    location ${placeOf(status, names)} {`,
    ...lines,
    '        add_header sluice-error $sluice_error always;',
    `        return ${status};`,
    '    }',
  ])
