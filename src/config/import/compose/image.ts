import { oneLine } from '../../init/render.ts'
import { image as imageScalar } from '../../scalars-container.ts'
import { variableAt } from './interpolate.ts'
import type { Keys } from './notes.ts'

/** A reference as it stands, cut at its tag and digest; variables may hold both signs and are not cut. */
export type Reference = { name: string; tag: string | null; digest: string | null }

const VERSION = '{{version}}'
const DIGEST = /@sha256:[a-f0-9]{64}$/

/** The `run.image` of a service, or `null` where it has none that a release could be made of; the reason is noted. */
export function imageOf(keys: Keys, project: string): string | null {
  const written = keys.raw('image')
  const build = keys.raw('build')
  if (typeof written !== 'string') return build === undefined ? noImage(keys) : builtImage(keys, project)
  const reference = splitReference(written)
  const name = keys.fill('image', reference.name)
  if (name === undefined) return null
  const proposed =
    reference.digest === null ? `${name}:${versionedTag(keys, reference)}` : `${name}${reference.digest}`
  if (reference.digest !== null)
    keys.check(
      `${keys.service} names its image by digest, so every version is the same image. Write a tag with ${VERSION} to release others.`,
    )
  if (!imageScalar().safeParse(proposed).success) {
    keys.leaveOut('image', `${oneLine(proposed)} is no name of an image.`)
    return null
  }
  if (build !== undefined) leaveBuild(keys, proposed)
  return proposed
}

/**
 * @example splitReference('${REGISTRY:-localhost:5000}/shop:${TAG:-1}') // name '${REGISTRY:-localhost:5000}/shop', tag '${TAG:-1}'
 */
export function splitReference(reference: string): Reference {
  const digest = DIGEST.exec(reference)?.[0] ?? null
  const rest = digest === null ? reference : reference.slice(0, -digest.length)
  let colon: number | null = null
  for (let at = 0; at < rest.length; at += 1) {
    const variable = rest[at] === '$' ? variableAt(rest, at) : null
    if (variable !== null) at = variable.end - 1
    else if (rest[at] === ':') colon = at
    else if (rest[at] === '/') colon = null
  }
  return colon === null
    ? { name: rest, tag: null, digest }
    : { name: rest.slice(0, colon), tag: rest.slice(colon + 1), digest }
}

/** What was said about the version becomes `{{version}}`; what stands around a variable stays. */
function versionedTag(keys: Keys, { name, tag }: Reference): string {
  if (tag === null || tag === 'latest') {
    keys.check(
      `The image of ${keys.service} has no tag of its own version ("latest"). Give each version a tag: docker tag ${oneLine(name)} ${oneLine(name)}:1.0.0.`,
    )
    return VERSION
  }
  const dollar = tag.indexOf('$')
  const variable = dollar < 0 ? null : variableAt(tag, dollar)
  if (variable !== null) return `${tag.slice(0, dollar)}${VERSION}${tag.slice(variable.end)}`
  keys.check(
    `The tag ${oneLine(tag)} of ${keys.service} became ${VERSION}: "sluice deploy ${oneLine(tag)} --service ${keys.service}" releases it.`,
  )
  return VERSION
}

function builtImage(keys: Keys, project: string): string | null {
  const name = `${project}-${keys.service}`.toLowerCase()
  const proposed = `${name}:${VERSION}`
  leaveBuild(keys, proposed)
  if (imageScalar().safeParse(proposed).success) return proposed
  keys.leaveOut('image', `${oneLine(name)} is no name of an image, and no other one is said.`)
  return null
}

const leaveBuild = (keys: Keys, image: string): void =>
  keys.leaveOut(
    'build',
    `A release takes an image that is there already. Build one for each version first, for example: docker build -t ${image.replace(VERSION, '1.0.0')} ${contextOf(keys)}`,
  )

/** Where the sources of a service are, relative to the file. */
export function contextOf(keys: Keys): string {
  const build = keys.raw('build')
  const context =
    typeof build === 'string'
      ? build
      : typeof build === 'object' && build !== null && 'context' in build
        ? build.context
        : '.'
  return typeof context === 'string' && !context.includes('$') ? oneLine(context) : '.'
}

function noImage(keys: Keys): null {
  keys.leaveOut(
    'image',
    keys.names.includes('extends')
      ? 'The service takes what it is from another one with extends, which is not followed here. "docker compose config --no-interpolate" writes a file in which everything stands: import that one.'
      : 'The service has neither an image nor a build.',
  )
  return null
}
