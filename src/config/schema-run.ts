import * as z from 'zod'
import { QuiesceSignal } from '../core/shared/set-spec.ts'
import { complain, MISSING } from './complaint.ts'
import { DEFAULT_GRACE, DEFAULT_QUIESCE_TIMEOUT, DEFAULTS } from './defaults.ts'
import * as s from './scalars.ts'
import { image, volume } from './scalars-container.ts'

const HOUR_MS = 3_600_000
/** Ten times what one machine can run; a larger number is a slip of the finger. */
const MAX_REPLICAS = 1000
const LEAST_CPUS = 0.01
const MOST_CPUS = 1024
const MAX_SECRETS = 1000
const MAX_ENV_FILES = 20
const MAX_VOLUMES = 100

/** What instances can be. */
export const TARGETS = ['processes', 'docker'] as const

const PLAIN_NUMBER = { title: 'whole number' }
/** As the engine allows it. */
const CONTAINER_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/

const ResourcesSection = z.strictObject({
  cpus: z
    .number()
    .min(LEAST_CPUS)
    .max(MOST_CPUS)
    .meta({ title: 'number' })
    .describe('Processors of one instance; 0.5 is half of one.')
    .optional(),
  memory: s
    .size()
    .describe('Memory of one instance, for example `512MiB`. A bare number is bytes.')
    .optional(),
})

export const RunSection = z.strictObject({
  artifact: s
    .artifact()
    .meta({ default: DEFAULTS.run.artifact })
    .describe(
      'Folder, tarball or file with one version, relative to this file. May hold `{{version}}`. Each release runs from its own read-only copy.',
    )
    .optional(),
  command: s
    .command()
    .describe(
      'Starts one instance, without a shell. `{{port}}` becomes the port of the instance, which is also in the variable PORT. In a container it takes the place of what the image runs.',
    )
    .optional(),
  image: image()
    .describe(
      'Containers: the image of one version, for example `registry.local/shop:{{version}}`. A tag is resolved to its digest before anything is decided, and that digest is what runs, also after a rollback.',
    )
    .optional(),
  port: z
    .int()
    .min(1)
    .max(65_535)
    .meta(PLAIN_NUMBER)
    .describe('Containers: where the program listens inside. It is also in the variable PORT.')
    .optional(),
  network: z
    .string()
    .regex(CONTAINER_NAME)
    .meta({ title: 'name' })
    .describe('Containers: a network of the engine that is there already. Default: the engine’s own network.')
    .optional(),
  volumes: z
    .array(volume())
    .max(MAX_VOLUMES)
    .meta({ title: 'list', default: DEFAULTS.run.volumes })
    .describe(
      'Containers: `source:target`, or `source:target:ro` to read only. The source is a path, relative to this file, or the name of a volume. All instances of both versions have it at the same time.',
    )
    .optional(),
  secretFiles: z
    .boolean()
    .meta({ title: 'true or false', default: DEFAULTS.run.secretFiles })
    .describe('Containers: secrets arrive as files, `/run/secrets/<name>`, and not as variables.')
    .optional(),
  replicas: z
    .int()
    .min(1)
    .max(MAX_REPLICAS)
    .meta({ ...PLAIN_NUMBER, default: DEFAULTS.run.replicas })
    .describe('How many instances run.')
    .optional(),
  envFile: z
    .array(s.envFile())
    .max(MAX_ENV_FILES)
    .meta({ title: 'list of paths', default: DEFAULTS.run.envFile })
    .describe(
      'Files with NAME=value lines, relative to this file. A later file wins over an earlier one, and `env` wins over all of them. Their values become part of the release, like those of `env`: never write a secret there.',
    )
    .optional(),
  env: z
    .record(z.string().regex(s.VARIABLE_NAME), s.envValue())
    .meta({ title: 'mapping', default: DEFAULTS.run.env })
    .describe('Variables of the instances. May hold `{{port}}`. PORT and SLUICE_VERSION are always set.')
    .optional(),
  secrets: z
    .array(s.secretName())
    .max(MAX_SECRETS)
    .meta({ title: 'list of names', default: DEFAULTS.run.secrets })
    .describe('Names of secrets that the instances get as variables. Never write a value here.')
    .optional(),
  stopGrace: s
    .duration({ maxMs: HOUR_MS })
    .meta({ default: DEFAULTS.run.stopGrace })
    .describe('Time between SIGTERM and SIGKILL when an instance is stopped.')
    .optional(),
  quiesce: z
    .union([
      QuiesceSignal,
      z.strictObject({
        command: s
          .command()
          .describe(
            'A program that is run beside the worker, in the folder of its release and with its variables; `SLUICE_PID` is its process. Code 0 says that it was told. It must be fit to be run twice.',
          ),
        timeout: s
          .duration({ minMs: 100, maxMs: HOUR_MS })
          .meta({ default: DEFAULT_QUIESCE_TIMEOUT })
          .describe('A program that takes longer has failed. Shorter than `run.grace`.')
          .optional(),
      }),
    ])
    .meta({ title: 'signal or command' })
    .describe(
      'Workers only (`listen: none`): how one is told to take no new work before it is stopped, by a signal or by `{ command: ... }`. Where the command fails, the failure is reported and the worker is stopped at once, within `run.stopGrace`.',
    )
    .optional(),
  grace: s
    .duration({ maxMs: 24 * HOUR_MS })
    .meta({ default: DEFAULT_GRACE })
    .describe(
      'Workers only: after `quiesce` it may go on with what it has for so long before SIGTERM. The rollout does not wait for it.',
    )
    .optional(),
  resources: ResourcesSection.meta({ default: DEFAULTS.run.resources })
    .describe(
      'What one instance is meant to use at most. The use of CPU and memory is measured against it, and against the whole machine where it is not said. For a container the engine enforces it; for a process nothing does, and changing it makes no new release.',
    )
    .optional(),
})

/** Something must be run: refuses a service with neither a command nor an image. */
export function hasProgram(run: z.output<typeof RunSection>, context: z.RefinementCtx): void {
  if (run.command !== undefined || run.image !== undefined) return
  complain(context, MISSING, ['command'])
}
