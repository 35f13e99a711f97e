import path from 'node:path'
import * as z from 'zod'
import { type Proposal, proposeFromProcfile } from '../../config/import/propose.ts'
import { readText } from '../../config/import/read-text.ts'
import { renderProposal } from '../../config/import/render.ts'
import { writeProposal } from '../../config/import/write-proposal.ts'
import { projectFilesIn } from '../../config/init/project-files.ts'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { type Problem, problem } from '../../core/shared/problem.ts'
import { defineCommand } from '../command.ts'
import { type Line, quiet, span, strong } from '../text/line.ts'

const DEFAULT_OUT = 'sluice.yaml'

export const command = defineCommand({
  description:
    'Reads a Procfile and proposes a sluice.yaml: the web process becomes the service and workers become services of their own, with environments for staging and production. Says what it could not map. Of a .env beside it only the names are used, never a value. Never overwrites a file.',
  arguments: [{ name: 'file', summary: 'the Procfile', required: true }],
  options: [
    { flags: '--out <file>', summary: `file to write (default: ${DEFAULT_OUT})` },
    { flags: '--name <name>', summary: 'name of the service (default: the folder)' },
    { flags: '--print', summary: 'print the file instead of writing it' },
  ],
  examples: ['sluice import Procfile', 'sluice import app/Procfile --out sluice.yaml --name shop'],
  input: z.object({
    file: z.string().min(1),
    out: z.string().min(1).default(DEFAULT_OUT),
    name: z.string().min(1).exactOptional(),
    print: z.boolean().default(false),
  }),
  async run(session, { file, out, name, print }) {
    const { cwd } = session.io
    if (!/^Procfile(\.[\w-]+)?$/.test(path.basename(file))) return session.fail(unknownKind(file))
    const from = path.resolve(cwd, file)
    const to = path.resolve(cwd, out)
    const text = readText(from, file)
    if (text.kind === 'failed') return session.fail(text.problem)
    const proposal = proposeFromProcfile({
      file,
      text: text.value,
      files: projectFilesIn(path.dirname(from)),
      artifact: path.relative(path.dirname(to), path.dirname(from)).split(path.sep).join('/') || '.',
      ...(name === undefined ? {} : { name }),
    })
    if (proposal.kind === 'failed') return session.fail(proposal.problem)
    const config = renderProposal(proposal.value)
    if (print) {
      session.value('config', { text: config, notMapped: proposal.value.notMapped })
      session.say(
        config
          .trimEnd()
          .split('\n')
          .map((line) => [span(line)]),
      )
      return EXIT_CODE.promoted
    }
    const written = writeProposal(to, config)
    if (written.kind === 'failed') return session.fail(written.problem)
    const { services, notMapped, toCheck } = proposal.value
    session.value('imported', { file: to, services: services.map((one) => one.name), notMapped, toCheck })
    session.say(closingLines(to, proposal.value))
    return EXIT_CODE.promoted
  },
})

const unknownKind = (file: string): Problem =>
  problem('IMPORT_UNKNOWN_KIND', {
    message: `${file} is no kind of file that can be imported.`,
    remedy: 'Name a Procfile, for example: sluice import Procfile.',
  })

function closingLines(file: string, { services, notMapped, toCheck, names }: Proposal): Line[] {
  return [
    [span('✓ ', 'good'), strong(`Wrote ${file}`)],
    ...services.map(({ name, kind }): Line => [quiet(`  ${name} (${kind})`)]),
    ...(names.secrets.length === 0
      ? []
      : [[quiet(`  Secrets by name, values not read: ${names.secrets.join(', ')}`)]]),
    ...notMapped.map(
      ({ name, line, why }): Line => [
        span('! ', 'attention'),
        span(`Not mapped: ${name} (line ${line}). ${why}`),
      ],
    ),
    ...toCheck.map((text): Line => [span('! ', 'attention'), span(`To check: ${text}`)]),
    [],
    [span('Next: look at the file, then')],
    [strong('  sluice validate'), quiet('          checks it')],
    [strong('  sluice deploy 1.0.0'), quiet('      releases the first version')],
  ]
}
