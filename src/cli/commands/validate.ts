import * as z from 'zod'
import { loadConfig } from '../../config/load.ts'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { defineCommand } from '../command.ts'
import { findProject } from '../controller/project.ts'
import { span } from '../text/line.ts'
import { plural } from '../text/number.ts'

export const command = defineCommand({
  description:
    'Reads sluice.yaml for every environment and shows all mistakes at once, each with line and column. Needs no controller.',
  arguments: [],
  options: [],
  examples: ['sluice validate', 'sluice validate --config deploy/sluice.yaml'],
  input: z.object({}),
  async run(session) {
    const project = findProject(session)
    if (project.kind === 'failed') return session.fail(project.problem)
    const { shownConfig: config } = project.value
    const loaded = loadConfig({
      file: config,
      ...(session.environment === null ? {} : { environment: session.environment }),
    })
    if (loaded.kind === 'failed') return session.fail(loaded.problem, EXIT_CODE.usage)
    const { services, environments } = loaded.value
    session.value('valid', { file: config, services: services.map(({ service }) => service), environments })
    session.say([
      [
        span('✓ ', 'good'),
        span(
          `${config} is valid: ${plural(services.length, 'service')}, ${plural(environments.length, 'environment')} (${environments.join(', ')}).`,
        ),
      ],
    ])
    return EXIT_CODE.promoted
  },
})
