import { type Problem, problem } from '../../core/shared/problem.ts'
import type { SetSpec } from '../../core/shared/set-spec.ts'
import { isEngineAway } from './engine-problem.ts'

/** Why a container could not be started. `later`: nobody's fault, so it waits; `again`: as a crash; `never`: a person has to help. */
export type StartFailure = { problem: Problem; next: 'later' | 'again' | 'never' }

type Context = { spec: SetSpec; name: string }

/** The engine says it in words only. Each finding is a sentence of it that was seen. */
export function startFailure(of: Problem, { spec, name }: Context): StartFailure {
  const said = of.cause ?? of.message
  const image = spec.container?.image ?? ''
  const found = (code: Problem, next: StartFailure['next']): StartFailure => ({ problem: code, next })
  if (/no space left on device|disk quota exceeded/i.test(said)) return found(diskFull(said), 'again')
  if (lacksImage(of)) return found(imageGone(image, of), 'again')
  if (of.code === 'DOCKER_IMAGE_MISSING') return found(of, of.retryable ? 'again' : 'never')
  if (isEngineAway(of)) return found(of, 'later')
  if (/shutting down/i.test(said)) return found(of, 'later')
  if (/network \S+ not found|could not find .*network/i.test(said))
    return found(networkMissing(spec.container?.network ?? '', said), 'never')
  if (of.code === 'DOCKER_CONFLICT' && /container name/i.test(said))
    return found(nameTaken(name, said), 'again')
  if (/cannot assign requested address/i.test(said)) return found(addressElsewhere(said), 'never')
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

/** Stands for as long as its instance waits for the engine. */
export const ENDED_WITH_ENGINE =
  'its container ended together with the Docker Engine, which is no crash: it is started again as soon as the engine answers (with live-restore it would have run on)'

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

/** Whether a container could not be made because somebody has removed its image. */
export const lacksImage = ({ code, cause }: Problem): boolean =>
  code === 'DOCKER_NOT_FOUND' && /no such image/i.test(cause ?? '')

/** `of`: why it could not be pulled again. A registry that is only down for now is asked again, with growing waits. */
export const imageGone = (image: string, of: Problem): Problem =>
  problem('DOCKER_IMAGE_MISSING', {
    message: `the image ${image} was removed from this machine and cannot be pulled again: ${of.code}, ${of.message}`,
    cause: of.cause,
    remedy: of.remedy,
    retryable: of.retryable,
  })

const addressElsewhere = (cause: string): Problem =>
  problem('DOCKER_ADDRESS_ELSEWHERE', {
    message:
      'the machine of the engine does not have the address by which DOCKER_HOST names it, so no port can be published there',
    cause,
    remedy:
      'Name the engine in DOCKER_HOST by an address that its machine has itself (ip address), not by one of a router or a load balancer before it; then restart the agent.',
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
