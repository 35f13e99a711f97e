import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'

/** The name of an image in its parts, as the engine reads it. */
export type Reference = {
  /** Host of the registry, with its port; `docker.io` where none is named. */
  registry: string
  /** Whether the registry stands in the name: an image without one may as well be of this machine alone. */
  isQualified: boolean
  /** As people write it, without tag and digest: `localhost:5000/shop`. */
  name: string
  tag: string | null
  digest: string | null
}

const LONGEST = 600
const PLACEHOLDER = '{{version}}'
/** A version becomes part of a name: it must be able to stand where a tag does. */
const VERSION = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const DIGEST = /@(sha256:[a-f0-9]{64})$/
const NAME = /^[A-Za-z0-9][A-Za-z0-9._\-/:]*$/

/** What is asked for, with the version in its place. */
export function referenceOf(pattern: string, version: string): Result<Reference> {
  if (pattern.includes(PLACEHOLDER) && !VERSION.test(version)) return failed(noTag(pattern, version))
  const text = pattern.replaceAll(PLACEHOLDER, version)
  const digest = DIGEST.exec(text)?.[1] ?? null
  const tagged = digest === null ? text : text.slice(0, text.lastIndexOf('@'))
  const colon = tagged.indexOf(':', tagged.lastIndexOf('/') + 1)
  const name = colon < 0 ? tagged : tagged.slice(0, colon)
  const tag = colon < 0 ? null : tagged.slice(colon + 1)
  if (text.length > LONGEST || !NAME.test(name) || (tag !== null && !VERSION.test(tag)))
    return failed(bad(text))
  const slash = name.indexOf('/')
  const first = name.slice(0, Math.max(0, slash))
  const isQualified = first === 'localhost' || first.includes('.') || first.includes(':')
  return ok({ registry: isQualified ? first : 'docker.io', isQualified, name, tag, digest })
}

/** For messages and for the engine. */
export const textOf = ({ name, tag, digest }: Reference): string =>
  `${name}${tag === null ? (digest === null ? ':latest' : '') : `:${tag}`}${digest === null ? '' : `@${digest}`}`

const bad = (text: string) =>
  problem('IMAGE_BAD_REFERENCE', {
    message: `${JSON.stringify(text.slice(0, 200))} is no name of an image`,
    remedy: 'Correct run.image, for example registry.local/shop:{{version}}.',
  })

const noTag = (pattern: string, version: string) =>
  problem('IMAGE_BAD_REFERENCE', {
    message: `the version ${JSON.stringify(version)} cannot be the tag of an image (${pattern})`,
    remedy: 'Deploy a version of letters, digits, dots, dashes and underscores, at most 128 of them.',
  })
