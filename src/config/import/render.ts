import { commandText, doorLines, oneLine, SCHEMA_LINE } from '../init/render.ts'
import type { Proposal, ProposedService } from './propose.ts'

/** The proposed `sluice.yaml`, with a comment for each choice and for all that did not fit. It loads as it is. */
export function renderProposal(proposal: Proposal): string {
  const { from, services, notMapped, toCheck } = proposal
  return [
    SCHEMA_LINE,
    `# Proposed by "sluice import ${oneLine(from)}". Every key and default: docs/reference/configuration.md, or run "sluice explain".`,
    ...toCheck.map((what) => `# To check: ${oneLine(what)}`),
    ...notMapped.map(({ name, line, why }) => `# Not mapped: ${name} (line ${line}). ${oneLine(why)}`),
    '',
    ...(services.length === 1 ? oneService(proposal) : manyServices(proposal)),
    '',
    ...environmentLines(services),
    '',
  ].join('\n')
}

const oneService = (proposal: Proposal): string[] =>
  proposal.services.flatMap((service) => [`service: ${service.name}`, '', ...serviceLines(proposal, service)])

const manyServices = (proposal: Proposal): string[] => [
  'services:',
  ...proposal.services.flatMap((service, index) => [
    ...(index === 0 ? [] : ['']),
    `  ${service.name}:`,
    ...serviceLines(proposal, service).map((line) => (line === '' ? '' : `    ${line}`)),
  ]),
]

function serviceLines(proposal: Proposal, service: ProposedService): string[] {
  const { artifact, names } = proposal
  const variables = Object.entries(service.env)
  return [
    'run:',
    '  # What a version is: a folder, tarball or file. Each release runs from its own read-only copy.',
    `  artifact: ${/^[\w./-]+$/.test(artifact) ? artifact : JSON.stringify(artifact)}`,
    `  command: ${commandText(service.command)}`,
    '  replicas: 2',
    ...(variables.length === 0
      ? []
      : ['  env:', ...variables.map(([name, value]) => `    ${name}: ${JSON.stringify(value)}`)]),
    ...secretLines(proposal),
    ...(names.others.length === 0
      ? []
      : [
          '  # .env sets these as well; their values were not read. Write them under env, or name a file that holds no secret',
          '  # under envFile:',
          `  #   ${names.others.join(', ')}`,
        ]),
    '',
    ...(service.kind === 'web' ? doorLines(proposal.health) : WORKER_LINES),
    '',
    'strategy:',
    '  canary: standard',
  ]
}

const WORKER_LINES = [
  '# A worker: it takes its work from elsewhere, and its share of the work is its share of the instances.',
  'listen: none',
  '',
  '# Nobody can ask it: it is ready once it has run for 10 seconds. A program that ends with 0 while it is well says more:',
  '# health: { command: ./well }',
  'health: none',
]

/** No value ever: the names are enough to be told at the first deployment which ones are missing. */
const secretLines = ({ names: { secrets } }: Proposal): string[] =>
  secrets.length === 0
    ? ['  # Names of secrets, never their values:', '  # secrets: [DATABASE_URL]']
    : [
        '  # Names that look like secrets in .env; their values were not read. They come from .sluice/secrets.env (mode 0600)',
        '  # or from the environment of the agent.',
        `  secrets: [${secrets.join(', ')}]`,
      ]

function environmentLines([web, ...workers]: readonly ProposedService[]): string[] {
  const listen = (port: number): string[] =>
    workers.length === 0
      ? [`    listen: 127.0.0.1:${port}`]
      : ['    services:', `      ${web?.name}: { listen: 127.0.0.1:${port} }`]
  return [
    '# What differs where. Ports, so that all of them may be on one machine; instances and resources, by what they carry.',
    'environments:',
    '  staging:',
    '    run: { replicas: 1 }',
    '    strategy: { canary: quick }',
    ...listen(8081),
    '  production:',
    '    # What one instance is meant to use at most; its use is judged against it.',
    '    # run: { replicas: 3, resources: { cpus: 1, memory: 512MiB } }',
    ...listen(8082),
  ]
}
