import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import * as z from 'zod'
import type { Detection } from '../../config/init/detection.ts'
import { projectFilesIn, writeNewConfig } from '../../config/init/project-files.ts'
import { renderConfig } from '../../config/init/render.ts'
import { detectProject } from '../../config/init.ts'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { defineCommand } from '../command.ts'
import { type Line, quiet, span, strong } from '../text/line.ts'

export const command = defineCommand({
  description:
    'Looks at the project, finds out how it starts and what tells its health, and writes a commented sluice.yaml. Never overwrites a file.',
  arguments: [],
  options: [
    { flags: '--command <command>', summary: 'how the service starts, when it cannot be found out' },
    { flags: '--port-env <name>', summary: 'variable it reads its port from (default: PORT)' },
    { flags: '--print', summary: 'print the file instead of writing it' },
  ],
  examples: ['sluice init', 'sluice init --command "node server.js --port {{port}}"'],
  input: z.object({
    command: z.string().exactOptional(),
    portEnv: z.string().exactOptional(),
    print: z.boolean().default(false),
  }),
  async run(session, { print, ...answers }) {
    const { cwd } = session.io
    const detection = detectProject(projectFilesIn(cwd), answers)
    if (detection.kind === 'failed') return session.fail(detection.problem)
    const text = renderConfig(detection.value)
    if (print) {
      session.value('config', { text })
      session.say(
        text
          .trimEnd()
          .split('\n')
          .map((line) => [span(line)]),
      )
      return EXIT_CODE.promoted
    }
    const written = writeNewConfig(cwd, text)
    if (written.kind === 'failed') return session.fail(written.problem)
    const ignored = ignoreStateFolder(cwd)
    session.value('initialised', {
      file: written.value,
      service: detection.value.service,
      gitignore: ignored,
    })
    session.say(closingLines(written.value, detection.value, ignored))
    return EXIT_CODE.promoted
  },
})

/** State does not belong into version control. Only an existing .gitignore is touched. */
function ignoreStateFolder(folder: string): boolean {
  const file = path.join(folder, '.gitignore')
  if (!existsSync(file)) return false
  const text = readFileSync(file, 'utf8')
  if (text.split('\n').some((line) => /^\/?\.sluice\/?$/.test(line.trim()))) return false
  appendFileSync(file, `${text === '' || text.endsWith('\n') ? '' : '\n'}.sluice/\n`)
  return true
}

function closingLines(file: string, { findings, toCheck }: Detection, ignored: boolean): Line[] {
  return [
    [span('✓ ', 'good'), strong(`Wrote ${file}`)],
    ...findings.map((text): Line => [quiet(`  ${text}`)]),
    ...(ignored ? [[quiet('  Added .sluice/ to .gitignore: that folder holds the state.')]] : []),
    ...toCheck.map((text): Line => [span('! ', 'attention'), span(`To check: ${text}`)]),
    [],
    [span('Next: look at the file, then')],
    [strong('  sluice validate'), quiet('          checks it')],
    [strong('  sluice deploy 1.0.0'), quiet('      releases the first version')],
  ]
}
