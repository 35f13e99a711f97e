import { type Problem, problem } from '../../core/shared/problem.ts'
import type { SetSpec } from '../../core/shared/set-spec.ts'

/** Why a container could not be started. `later`: nobody's fault, so it waits; `again`: as a crash; `never`: a person has to help. */
export type StartFailure = { problem: Problem; next: 'later' | 'again' | 'never' }

type Context = { spec: SetSpec; name: string }

/** The engine says it in words only. Each finding is a sentence of it that was seen. */
export function startFailure(of: Problem, { spec, name }: Context): StartFailure {
  const said = of.cause ?? of.message
  const image = spec.container?.image ?? ''
  const found = (code: Problem, next: StartFailure['next']): StartFailure => ({ problem: code, next })
  if (/no space left on device|disk quota exceeded/i.test(said)) return found(diskFull(said), 'again')
  if (of.code === 'DOCKER_UNREACHABLE' || of.code === 'DOCKER_SLOW') return found(of, 'later')
  if (/shutting down/i.test(said)) return found(of, 'later')
  if (/no such image|pull access denied|manifest unknown/i.test(said))
    return found(imageMissing(image, said), 'never')
  if (/network \S+ not found|could not find .*network/i.test(said))
    return found(networkMissing(spec.container?.network ?? '', said), 'never')
  if (of.code === 'DOCKER_CONFLICT' && /container name/i.test(said))
    return found(nameTaken(name, said), 'again')
  if (/address already in use|port is already allocated/i.test(said)) return found(portTaken(said), 'again')
  if (/exec format error|does not match the (detected|specified) .*platform|no matching manifest/i.test(said))
    return found(wrongFormat(image, said), 'never')
  if (/bind source path does not exist|invalid mount|mount denied|not a directory/i.test(said))
    return found(volumeUnusable(said), 'never')
  if (
    /executable file not found|no such file or directory|permission denied|no command specified/i.test(said)
  )
    return found(commandUnusable(spec, said), 'never')
  return found(of, of.code === 'DOCKER_REFUSED' || !of.code.startsWith('DOCKER_') ? 'never' : 'again')
}

/** One sentence for those who look at the instance. */
export const toldAs = ({ code, message, remedy }: Problem): string => `${code}: ${message}. ${remedy}`

/** A program of another architecture starts, and ends at once with these words. */
export const saysWrongFormat = (output: string): boolean => /exec format error/i.test(output)

export const wrongFormat = (image: string, cause: string): Problem =>
  problem('DOCKER_EXEC_FORMAT', {
    message: `what ${image} runs is not made for this machine (${process.arch}), or is a script without its #! line`,
    cause,
    remedy: 'Build the image for this architecture: docker build --platform.',
  })

const diskFull = (cause: string): Problem =>
  problem('DOCKER_DISK_FULL', {
    message: 'the disk of the Docker Engine is full',
    cause,
    remedy: 'See what takes the space: docker system df.',
    retryable: true,
  })

const imageMissing = (image: string, cause: string): Problem =>
  problem('DOCKER_IMAGE_MISSING', {
    message: `the engine does not have the image ${image} any more`,
    cause,
    remedy:
      'Deploy the version again: that pulls its image. Images of releases that are kept are protected from `docker image prune`, not from `docker image rm --force`.',
  })

const networkMissing = (network: string, cause: string): Problem =>
  problem('DOCKER_NETWORK_MISSING', {
    message: `the engine has no network ${network}`,
    cause,
    remedy: `Make it: docker network create ${network}; or name another one under run.network.`,
  })

const nameTaken = (name: string, cause: string): Problem =>
  problem('DOCKER_NAME_TAKEN', {
    message: `another container has the name ${name}, which stands for one instance of this installation`,
    cause,
    remedy: `See whose it is: docker inspect ${name}; then rename or remove it.`,
  })

const portTaken = (cause: string): Problem =>
  problem('DOCKER_PORT_TAKEN', {
    message: 'the port of this machine that was chosen for the container was taken in that moment',
    cause,
    remedy: 'The next start takes another one.',
    retryable: true,
  })

const volumeUnusable = (cause: string): Problem =>
  problem('DOCKER_VOLUME_UNUSABLE', {
    message: `a volume cannot be mounted: ${cause}`,
    cause,
    remedy: 'Make the folder, or correct run.volumes.',
  })

const commandUnusable = ({ command, container }: SetSpec, cause: string): Problem =>
  problem('DOCKER_COMMAND_UNUSABLE', {
    message: `the container cannot run ${command.length === 0 ? `what ${container?.image ?? 'its image'} names` : command.join(' ')}: ${cause}`,
    cause,
    remedy: 'Correct run.command, or the CMD and ENTRYPOINT of the image.',
  })
