import type { Finding } from '../../core/shared/finding.ts'
import type { KeptImage } from '../../core/shared/kept-image.ts'
import type { Problem } from '../../core/shared/problem.ts'

/** What an engine was found to be and to have, as far as it concerns this installation. */
export type EngineFacts = {
  where: string
  version: string
  livesThroughRestart: boolean
  kept: KeptImage[]
  /** Digests that are held. */
  pins: { digest: string; name: string; bytes: number }[]
  /** Images of `kept` that are not on this machine, by digest, and why they cannot be pulled again; `null`: they can. */
  missing: ReadonlyMap<string, Problem | null>
  /** How `kept` would be held, by digest. */
  pinNameOf(digest: string): string
  /** Containers that carry the labels of this installation. */
  containers: { name: string; state: string; instance: string; service: string }[]
  /** Instances that the agent knows. */
  known: ReadonlySet<string>
}

/** Older ones lack what the agent asks for. */
const OLDEST = [20, 10]

/** Everything worth a word about the engine, each with a remedy; one good word where nothing is wrong. */
export function engineFindings(facts: EngineFacts): Finding[] {
  const found = [
    ...versionFindings(facts),
    ...restartFindings(facts),
    ...imageFindings(facts),
    ...leftoverFindings(facts),
    ...orphanFindings(facts),
  ]
  const { where, version, kept } = facts
  const held = kept.length === 1 ? 'the image of 1 release is' : `the images of ${kept.length} releases are`
  return found.length > 0
    ? found
    : [
        {
          level: 'ok',
          code: 'DOCTOR_ENGINE',
          message: `The Docker Engine ${version} answers on ${where}; ${held} held.`,
          remedy: null,
        },
      ]
}

function versionFindings({ version }: EngineFacts): Finding[] {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldMajor = 0, oldMinor = 0] = OLDEST
  if (!(major < oldMajor || (major === oldMajor && minor < oldMinor))) return []
  return [
    {
      level: 'warning',
      code: 'DOCTOR_ENGINE',
      message: `The Docker Engine is version ${version}; nothing older than ${OLDEST.join('.')} was tried.`,
      remedy: 'Update it when you can. With live-restore containers run on meanwhile.',
    },
  ]
}

function restartFindings({ livesThroughRestart }: EngineFacts): Finding[] {
  if (livesThroughRestart) return []
  return [
    {
      level: 'warning',
      code: 'DOCTOR_ENGINE',
      message: 'A restart of the Docker Engine ends every container: live-restore is off.',
      remedy:
        'Write { "live-restore": true } into /etc/docker/daemon.json, then `systemctl reload docker`. Nothing has to stop for it.',
    },
  ]
}

/** What a rollback needs must be here, and be safe from those who tidy up. */
function imageFindings({ kept, pins, missing, pinNameOf }: EngineFacts): Finding[] {
  const held = new Set(pins.map(({ digest }) => digest))
  return kept.flatMap(({ release, image, digest }): Finding[] => {
    const obstacle = missing.get(digest)
    if (obstacle !== undefined) return [missingFinding({ release, image }, obstacle)]
    if (held.has(digest)) return []
    return [
      {
        level: 'warning',
        code: 'DOCTOR_ENGINE',
        message: `The image ${image} of the release ${release} is not held: \`docker image prune\` may take it away.`,
        remedy: `Hold it: \`docker tag ${image} ${pinNameOf(digest)}\`.`,
      },
    ]
  })
}

function missingFinding(
  { release, image }: Pick<KeptImage, 'release' | 'image'>,
  obstacle: Problem | null,
): Finding {
  const gone = `The image ${image} of the release ${release} is not on this machine any more`
  if (obstacle === null)
    return {
      level: 'warning',
      code: 'DOCTOR_ENGINE',
      message: `${gone}. It is pulled again by its digest as soon as an instance of it has to start, which takes that much longer.`,
      remedy: `At once: \`docker pull ${image}\`. Do not run \`docker image prune --all\` or \`docker system prune --all\` here.`,
    }
  return {
    level: 'problem',
    code: 'DOCTOR_ENGINE',
    message: `${gone} and cannot be pulled again: no new instance of it can start. ${obstacle.code}: ${obstacle.message}.`,
    remedy: obstacle.remedy,
  }
}

function leftoverFindings({ kept, pins }: EngineFacts): Finding[] {
  const needed = new Set(kept.map(({ digest }) => digest))
  return pins.flatMap(({ digest, name, bytes }): Finding[] =>
    needed.has(digest)
      ? []
      : [
          {
            level: 'warning',
            code: 'DOCTOR_ENGINE',
            message: `The image ${name} (${Math.ceil(bytes / 1024 ** 2)} MiB) is held, and no release needs it any more.`,
            remedy: `The next clean-up of the controller lets go of it. At once: \`docker image rm ${name}\`.`,
          },
        ],
  )
}

function orphanFindings({ containers, known }: EngineFacts): Finding[] {
  return containers.flatMap(({ name, state, instance, service }): Finding[] =>
    known.has(instance)
      ? []
      : [
          {
            level: 'problem',
            code: 'DOCTOR_ENGINE',
            message: `The container ${name} (${state}) carries the labels of this installation as an instance of ${service}, and nobody knows it.`,
            remedy: `If it does no work any more, remove it: \`docker rm --force ${name}\`.`,
          },
        ],
  )
}
