import type { ServiceSettings } from '../core/release/settings.ts'
import type { ContainerSettings } from '../core/shared/container-spec.ts'
import { type Conflict, conflict, repeated } from './conflict.ts'

/** The agent sets these itself for every instance. */
const RESERVED = ['PORT', 'SLUICE_VERSION']

export function runConflicts(settings: ServiceSettings): Conflict[] {
  const { run } = settings
  const names = Object.keys(run.env)
  return [
    ...programConflicts(settings),
    ...(run.container === undefined ? [] : containerConflicts(settings, run.container)),
    ...names
      .filter((name) => RESERVED.includes(name))
      .map((name) =>
        conflict(
          [`run.env.${name}`],
          'is set by Sluice for each instance',
          'Remove it. To pass the port under another name, write for example HTTP_PORT: "{{port}}".',
        ),
      ),
    ...run.secrets
      .filter((name) => Object.hasOwn(run.env, name))
      .map((name) =>
        conflict(
          ['run.secrets'],
          `holds ${name}, which run.env sets as well`,
          'Remove it from one of the two.',
        ),
      ),
    ...run.secrets
      .filter((name) => RESERVED.includes(name))
      .map((name) =>
        conflict(['run.secrets'], `holds ${name}, which is set by Sluice for each instance`, 'Remove it.'),
      ),
    ...repeated(run.secrets, 'run.secrets', 'a name'),
  ]
}

/** `target` may choose what an environment did not describe. */
function programConflicts({ run }: ServiceSettings): Conflict[] {
  const isContainer = run.container !== undefined
  if (isContainer && run.artifact === '')
    return [
      conflict(
        ['target', 'run.image'],
        'is docker, and there is no run.image',
        'Write the image of a version, for example run: { image: "registry.local/shop:{{version}}" }.',
      ),
    ]
  if (isContainer || run.command.length > 0) return []
  return [
    conflict(
      ['target', 'run.command'],
      'is processes, and there is no run.command',
      'Write the program that starts one instance, or leave target out: there is a run.image.',
    ),
  ]
}

function containerConflicts({ listen, run }: ServiceSettings, container: ContainerSettings): Conflict[] {
  const { port, volumes } = container
  const targets = volumes.map(({ target }) => target)
  return [
    ...(listen !== null && port === null && run.artifact !== ''
      ? [
          conflict(
            ['run.port', 'run.image', 'listen'],
            'is missing: nobody knows where the program listens in its container',
            'Write run.port, or listen: none for a worker.',
          ),
        ]
      : []),
    ...repeated(targets, 'run.volumes', 'a target'),
    ...(container.secretFiles && targets.some((target) => target.startsWith('/run/secrets'))
      ? [
          conflict(
            ['run.volumes', 'run.secretFiles'],
            'has a target below /run/secrets, where the secrets are',
            'Choose another target, or remove run.secretFiles.',
          ),
        ]
      : []),
    ...(run.quiesce !== undefined && 'command' in run.quiesce
      ? [
          conflict(
            ['run.quiesce', 'run.image'],
            'is a command, which runs beside a process and not in a container',
            'Write a signal, for example run.quiesce: SIGUSR1.',
          ),
        ]
      : []),
  ]
}
