import fc from 'fast-check'

/** Names that a plain object treats in a way of its own. */
const AWKWARD = ['__proto__', 'constructor', 'toString', '', ' ', 'a\u0000b', '%', '../x']

/** Any JSON there is, awkward names and numbers at the edge included. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.constantFrom<unknown>(null, [], {}, '', 0, -1, 1.5, 1e308, Number.MAX_SAFE_INTEGER + 2, true),
  fc.dictionary(fc.constantFrom(...AWKWARD), fc.jsonValue({ maxDepth: 1 })),
  fc.constantFrom(...AWKWARD),
)

type Step = { pick: number; kind: 'replace' | 'remove' | 'add' | 'double'; value: unknown; name: string }
const aStep: fc.Arbitrary<Step> = fc.record({
  pick: fc.nat(10_000),
  kind: fc.constantFrom('replace', 'remove', 'add', 'double'),
  value: anyJson,
  name: fc.constantFrom(...AWKWARD, 'other'),
})

/** A sound value with one to three places changed: what a damaged file or a confused caller gives, close to the real thing. */
export const damaged = (sound: unknown): fc.Arbitrary<unknown> =>
  fc.array(aStep, { minLength: 1, maxLength: 3 }).map((steps) => steps.reduce<unknown>(change, sound))

function change(value: unknown, { pick, kind, value: other, name }: Step): unknown {
  const text = JSON.stringify(value) ?? 'null'
  const places = placesIn(JSON.parse(text))
  const place = places[pick % Math.max(1, places.length)]
  if (place === undefined) return other
  // A copy for each step, so that the sound value stays as it is.
  const copy: unknown = JSON.parse(text)
  const holder = place.path.reduce<unknown>(
    (inner, key) => (isHolder(inner) ? Reflect.get(inner, key) : inner),
    copy,
  )
  if (!isHolder(holder)) return other
  if (kind === 'replace') put(holder, place.key, other)
  if (kind === 'remove') Reflect.deleteProperty(holder, place.key)
  if (kind === 'add') put(holder, name, other)
  if (kind === 'double') put(holder, `${place.key}2`, Reflect.get(holder, place.key))
  return JSON.parse(JSON.stringify(copy))
}

/** As JSON does it: `__proto__` is a name like any other. */
const put = (holder: object, key: string, value: unknown): unknown =>
  Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true })

const isHolder = (value: unknown): value is object => typeof value === 'object' && value !== null

type Place = { path: string[]; key: string }

function placesIn(value: unknown, path: string[] = []): Place[] {
  if (!isHolder(value)) return []
  return Object.entries(value).flatMap(([key, inner]) => [{ path, key }, ...placesIn(inner, [...path, key])])
}

/** The text of a file that was damaged: cut off, changed, doubled, or something else. */
export const damagedText = (sound: string): fc.Arbitrary<string> =>
  fc.oneof(
    fc.nat(sound.length).map((end) => sound.slice(0, end)),
    fc
      .tuple(fc.nat(sound.length), fc.string({ minLength: 1, maxLength: 3 }))
      .map(([at, text]) => `${sound.slice(0, at)}${text}${sound.slice(at + 1)}`),
    fc.constant(`${sound}${sound}`),
    fc.string({ maxLength: 50 }),
  )

/** What may stand in a file or a request in place of the sound value: a damaged one, any other one, or torn text. */
export const damagedContent = (sound: unknown): fc.Arbitrary<string> =>
  fc.oneof(
    damaged(sound).map((value) => JSON.stringify(value)),
    anyJson.map((value) => JSON.stringify(value)),
    damagedText(JSON.stringify(sound)),
  )
