import * as z from 'zod'
import { explainSettings, renderExplanation } from '../../config/explain.ts'
import { loadConfig } from '../../config/load.ts'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { problem } from '../../core/shared/problem.ts'
import { defineCommand } from '../command.ts'
import { findProject } from '../controller/project.ts'
import { span } from '../text/line.ts'

export const command = defineCommand({
  description:
    'Every setting in force, one a line, with the line of the file it comes from or the default that gave it. Needs no controller.',
  arguments: [],
  options: [],
  examples: ['sluice explain', 'sluice explain --env production | grep drain'],
  input: z.object({}),
  async run(session) {
    const project = findProject(session)
    if (project.kind === 'failed') return session.fail(project.problem)
    const { environment, service } = session
    const loaded = loadConfig({
      file: project.value.shownConfig,
      ...(environment === null ? {} : { environment }),
    })
    if (loaded.kind === 'failed') return session.fail(loaded.problem, EXIT_CODE.usage)
    const services = loaded.value.services.filter((one) => service === null || one.service === service)
    if (services.length === 0)
      return session.fail(
        noSuchService(
          service ?? '',
          loaded.value.services.map((one) => one.service),
        ),
      )
    const chosen = { ...loaded.value, services }
    session.value('explanation', { settings: explainSettings(chosen) })
    session.say(
      renderExplanation(chosen)
        .split('\n')
        .map((text) => [span(text)]),
    )
    return EXIT_CODE.promoted
  },
})

const noSuchService = (name: string, known: readonly string[]) =>
  problem('SERVICE_NOT_FOUND', {
    message: `There is no service "${name}".`,
    remedy: `The file has: ${known.join(', ')}.`,
  })
