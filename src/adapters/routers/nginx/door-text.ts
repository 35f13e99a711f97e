import type { ListenAddress } from '../../../core/shared/listen-address.ts'
import { answerLines, MISDIRECTED, nobodys, type OwnAnswer, TLS_EXPECTED } from './answers.ts'
import { CLOSING_LINES } from './closing.ts'
import { type Door, firstPair, idOf, type Named, namesOf, onlyOne, pairsOf, seatsOf } from './doors.ts'
import type { ShownPair } from './kept-pair.ts'
import { addressText, listenText } from './listen-text.ts'
import { ALONE, liveLocations, shared } from './live.ts'
import { copyPlace } from './mirror.ts'
import { Names } from './names.ts'
import { accessLog, OF_NOBODY } from './request-log.ts'
import type { Served } from './service.ts'
import { hostExpression, nameOf, pathExpression, quoted } from './words.ts'

/** The servers of one address. */
export function doorText(door: Door): string {
  const only = onlyOne(door)
  return only === null ? sharedText(door) : aloneText(door, only)
}

/** Nothing of a request has to be looked at: what breaks HTTP here was sent to this service, too. */
function aloneText({ address }: Door, served: Served): string {
  const names = new Names(served.routes.service)
  return [
    'server {',
    ...listenLines(address, served.pair === null ? null : { pair: served.pair, isDefault: true }),
    accessLog(names.format('live')),
    ...CLOSING_LINES,
    ...liveLocations(served.routes, names, ALONE),
    '}',
  ].join('\n')
}

function sharedText(door: Door): string {
  const { address, members } = door
  const variables = new DoorVariables(door)
  const server = (own: { members: readonly Served[]; lines: readonly string[] }): string =>
    [
      'server {',
      ...own.lines,
      accessLog(OF_NOBODY),
      `    rewrite ^ ${variables.to};`,
      ...CLOSING_LINES,
      ...answerAt('/', nobodys(addressText(address))),
      ...(variables.isPicky ? answerAt(`= ${MISDIRECTED_PLACE}`, MISDIRECTED) : []),
      ...own.members.flatMap(({ routes }) => {
        const names = new Names(routes.service)
        return liveLocations(routes, names, shared(names))
      }),
      '}',
    ].join('\n')
  const first = firstPair(door)
  if (first === null)
    return [...variables.text(), server({ members, lines: listenLines(address, null) })].join('\n')
  return [
    ...variables.text(),
    ...groupsOf(door, first).map(({ serverNames, members: own, pair, isDefault }) =>
      server({
        members: own,
        lines: [
          ...listenLines(address, { pair, isDefault }),
          ...(serverNames.length === 0 ? [] : [`    server_name ${serverNames.join(' ')};`]),
        ],
      }),
    ),
  ].join('\n')
}

const NOBODYS_PLACE = '/sluice-nobody'
const MISDIRECTED_PLACE = '/sluice-misdirected'

/** How a server finds the place of a request, and with TLS whether the client meant it. */
class DoorVariables {
  /** Where several certificates are shown, one may be good for a name and another one not. */
  readonly isPicky: boolean
  private readonly door: Door
  private readonly stem: string
  private readonly copies: string[]

  constructor(door: Door) {
    const { host, port } = door.address
    this.door = door
    this.stem = `$sluice_at_${nameOf(`${host} ${port}`)}`
    this.isPicky = pairsOf(door).length > 1
    this.copies = door.members.flatMap(({ routes: { mirror, service } }) =>
      mirror === null ? [] : [copyPlace(mirror, service)],
    )
  }

  /** The variable with the path that stands for whoever takes the request. */
  get to(): string {
    return this.copies.length > 0 ? `${this.stem}_to` : this.found
  }

  text(): string[] {
    return [this.takenText(), ...(this.isPicky ? this.shownText() : []), ...this.copiesText()]
  }

  private get found(): string {
    return this.isPicky ? `${this.stem}_meant` : `${this.stem}_taken`
  }

  private takenText(): string {
    const lines = seatsOf(this.door).map(
      ({ host, path, member }) =>
        `    "~${pathExpression(path)} ${hostExpression(host)}\\z" ${new Names(member.routes.service).place};`,
    )
    return mapText('"$sluice_whole_path $http_host"', `${this.stem}_taken`, NOBODYS_PLACE, lines)
  }

  private shownText(): string[] {
    const { door, stem } = this
    const pairs = pairsOf(door)
    const numberOf = (pair: ShownPair | null): number =>
      pairs.findIndex((one) => pair !== null && idOf(one) === idOf(pair))
    const named = namesOf(door)
    const rest = named.find(({ host }) => host === null)
    const lines = named.flatMap(({ host, pair }) =>
      host === null ? [] : [`    "~^${hostExpression(host)}\\z" ${numberOf(pair)};`],
    )
    const [shown, taken] = [`${stem}_shown`, `${stem}_taken`].map((name) => `\${${name.slice(1)}}`)
    return [
      mapText('$ssl_server_name', `${stem}_shown`, `${numberOf(rest?.pair ?? null)}`, [
        `    "" ${numberOf(firstPair(door))};`,
        ...lines,
      ]),
      mapText(`"${shown} ${taken} $http_host"`, `${stem}_meant`, MISDIRECTED_PLACE, [
        `    "~^[0-9]+ ${NOBODYS_PLACE} " ${NOBODYS_PLACE};`,
        ...pairs.flatMap((pair, at) => [...this.ownOf(pair, at), coveredBy(pair, at)]),
      ]),
    ]
  }

  /** Whoever has the certificate that was shown. */
  private ownOf(pair: ShownPair, at: number): string[] {
    return this.door.members.flatMap(({ pair: own, routes }) => {
      const { place } = new Names(routes.service)
      return own !== null && idOf(own) === idOf(pair) ? [`    "~^${at} ${place} " ${place};`] : []
    })
  }

  /** A copy asks for a path of ours, and not for what its request asked for. */
  private copiesText(): string[] {
    if (this.copies.length === 0) return []
    const lines = this.copies.map((place) => `    ${place} ${place};`)
    // Without `volatile` a copy would get what was found for its request.
    return [mapText('$uri', `${this.stem}_to`, this.found, ['    volatile;', ...lines])]
  }
}

/** The certificate that was shown is good for this name, too. */
const coveredBy = ({ names }: ShownPair, at: number): string =>
  `    "~^${at} ([^ ]+) (?:${names.map((name) => hostExpression(name)).join('|')})\\z" $1;`

const mapText = (from: string, to: string, otherwise: string, lines: readonly string[]): string =>
  [`map ${from} ${to} {`, `    default ${otherwise};`, ...lines, '}'].join('\n')

type Group = { serverNames: string[]; members: readonly Served[]; pair: ShownPair; isDefault: boolean }

/** One server for all names with the same certificate and the same services. The first one is for who asks for no name. */
function groupsOf(door: Door, first: ShownPair): Group[] {
  const groups = new Map<string, Group>()
  const all = namesOf(door)
  const rest = all.find(({ host }) => host === null) ?? null
  const isSplit = rest?.pair !== null && rest !== null && idOf(rest.pair) !== idOf(first)
  const base: Group = { serverNames: [], members: rest?.members ?? [], pair: first, isDefault: true }
  for (const named of all) {
    const { host, pair, members } = named
    if (pair === null || (host === null && !isSplit)) continue
    const key = [host === null, idOf(pair), ...members.map(({ routes }) => routes.service)].join('\n')
    const group = groups.get(key) ?? { serverNames: [], members, pair, isDefault: false }
    groups.set(key, group)
    group.serverNames.push(serverName(named))
  }
  return [base, ...groups.values()]
}

const serverName = ({ host }: Named): string => {
  if (host === null) return '~.'
  return host.startsWith('*') ? `"~^${hostExpression(host)}\\z"` : quoted(host)
}

type Secure = { pair: ShownPair; isDefault: boolean }

function listenLines(address: ListenAddress, secure: Secure | null): string[] {
  if (secure === null) return [listenText(address)]
  const { pair, isDefault } = secure
  return [
    listenText(address, ` ssl${isDefault ? ' default_server' : ''}`),
    `    ssl_certificate ${pair.file};`,
    `    ssl_certificate_key ${quoted(pair.key)};`,
    '    error_page 497 =400 @sluice_plain;',
    ...answerAt('@sluice_plain', TLS_EXPECTED),
  ]
}

/** Of nobody: no service is asked. */
const answerAt = (at: string, answer: OwnAnswer): string[] => [
  `    location ${at} {`,
  `    ${accessLog(OF_NOBODY)}`,
  ...answerLines(answer),
  '    }',
]
