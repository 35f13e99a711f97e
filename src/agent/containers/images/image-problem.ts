import { type Problem, problem } from '../../../core/shared/problem.ts'

/** What was asked for, for messages. */
export type Asked = { image: string; registry: string }

const NO_ROOM = /no space left|disk quota/i

/** The first of these that fits the words of the engine says what went wrong: it has no codes of its own for it. */
const KINDS: readonly { said: RegExp; made: (asked: Asked, cause: string) => Problem }[] = [
  { said: /toomanyrequests|too many requests|\b429\b|rate limit/i, made: busy },
  { said: NO_ROOM, made: full },
  {
    said: /digest mismatch|unexpected (?:commit )?digest|does not match digest|verification failed|not verified|invalid checksum/i,
    made: mismatch,
  },
  { said: /no matching manifest|does not match the specified platform/i, made: noSuchPlatform },
  {
    said: /connection re(?:fused|set)|no such host|timeout|timed out|deadline exceeded|server misbehaving|network is unreachable|no route to host|x509|tls:|server gave HTTP response|unexpected EOF|\bEOF\b|received unexpected HTTP status: 5|\b50[0234]\b|service unavailable/i,
    made: unreachable,
  },
  { said: /unauthorized|denied|no basic auth|authentication required|forbidden|\b40[13]\b/i, made: denied },
  { said: /not found|manifest unknown|name unknown|no such image|does not exist|\b404\b/i, made: missing },
]

/** Problems of the engine itself stay what they are. */
const OWN = [
  'DOCKER_UNREACHABLE',
  'DOCKER_MISUNDERSTOOD',
  'DOCKER_SLOW',
  'DOCKER_HOST_UNUSABLE',
  'DOCKER_CERTIFICATE_UNREADABLE',
  'DOCKER_CERTIFICATE_UNTRUSTED',
  'DOCKER_CERTIFICATE_REFUSED',
  'DOCKER_TLS_MISMATCH',
]

/** What the engine said about an image, as a problem that names its cause and what to do. */
export function imageProblem(asked: Asked, of: Problem): Problem {
  if (OWN.includes(of.code)) return of
  return saidOf(asked, of.cause ?? of.message)
}

/** @example saidOf(asked, 'toomanyrequests: You have reached your pull rate limit').code // 'REGISTRY_BUSY' */
export function saidOf(asked: Asked, said: string): Problem {
  const cause = said.trim().slice(0, 500)
  return (KINDS.find((kind) => kind.said.test(cause))?.made ?? pullFailed)(asked, cause)
}

export function missing({ image, registry }: Asked, cause?: string): Problem {
  return problem('IMAGE_MISSING', {
    message: `there is no image ${image}, neither at ${registry} nor on this machine`,
    cause,
    remedy: `Build and push it (docker push ${image}), or deploy a version that is there.`,
  })
}

/** Built on this machine, never pushed, and removed. */
export const goneForGood = (id: string): Problem =>
  problem('IMAGE_GONE', {
    message: `the image ${id} is not on this machine any more, and no registry ever had it`,
    remedy:
      'Build that version again and deploy it, or deploy another one. Push images to a registry, and they are pulled again by themselves.',
  })

function denied({ image, registry }: Asked, cause: string): Problem {
  return problem('REGISTRY_DENIED', {
    message: `${registry} does not give out ${image}: it asks for other credentials, or there is no such image`,
    cause,
    remedy: `Log in as the user of the agent: docker login ${registry}. Then check the name under run.image.`,
  })
}

/** Nothing in a registry's words is sure but the number; most say when in one way or another. */
function busy({ registry }: Asked, cause: string): Problem {
  const wait = /(?:retry|again)[ -](?:after|in)[: ]+(\d+ ?[a-z]*)/i.exec(cause)?.[1]
  return problem('REGISTRY_BUSY', {
    message: `${registry} takes no more requests from here for now`,
    cause,
    remedy:
      wait === undefined
        ? `Deploy again in a few minutes (limits of public registries are counted over hours). docker login ${registry} raises most limits.`
        : `Deploy again in ${/^\d+$/.test(wait) ? `${wait} s` : wait}. docker login ${registry} raises most limits.`,
    retryable: true,
  })
}

function unreachable({ image, registry }: Asked, cause: string): Problem {
  return problem('REGISTRY_UNREACHABLE', {
    message: `the registry ${registry} cannot be asked for ${image}`,
    cause,
    remedy:
      'What runs is not touched. See whether the registry is up and its name, certificate and proxy are right for the Docker Engine, then deploy again. What is named by digest and is here already needs no registry.',
    retryable: true,
  })
}

/** The engine writes names down: even that needs room. */
export const notHeld = (asked: Asked, of: Problem): Problem =>
  NO_ROOM.test(of.cause ?? '') ? full(asked, of.cause ?? '') : of

function full({ image }: Asked, cause: string): Problem {
  return problem('IMAGE_STORE_FULL', {
    message: `there is no space left for the image ${image} where the Docker Engine keeps images`,
    cause,
    remedy:
      'See what takes the space: docker system df. Images of kept releases are pinned; docker image prune leaves them.',
    retryable: true,
  })
}

export function mismatch({ image, registry }: Asked, cause: string): Problem {
  return problem('IMAGE_DIGEST_MISMATCH', {
    message: `what came for ${image} is not what its digest says, so it is not used`,
    cause,
    remedy: `Something between here and ${registry} changes what it passes on, or the registry is damaged. Push the image again, and deploy again.`,
  })
}

function noSuchPlatform(asked: Asked, cause: string): Problem {
  return wrongPlatform(asked, { is: [], wanted: 'this machine', cause })
}

export const wrongPlatform = (
  { image }: Asked,
  { is, wanted, cause }: { is: readonly string[]; wanted: string; cause?: string },
): Problem =>
  problem('IMAGE_WRONG_PLATFORM', {
    message: `the image ${image} is not made for ${wanted}${is.length === 0 ? '' : `, but for ${is.join(', ')}`}`,
    cause,
    remedy: 'Build it for that, too: docker buildx build --platform linux/amd64,linux/arm64 --push.',
  })

export const pullFailed = ({ image }: Asked, cause: string): Problem =>
  problem('IMAGE_PULL_FAILED', {
    message: `the Docker Engine could not pull ${image}`,
    cause,
    remedy: `See what it says: docker pull ${image}.`,
    retryable: true,
  })

export const stalled = (asked: Asked, waitedMs: number): Problem =>
  unreachable(asked, `nothing came for ${waitedMs / 1000} s while the image was pulled`)
