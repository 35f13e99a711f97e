import { problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import { readCommand } from './command-words.ts'
import {
  type Detection,
  findHealth,
  fitVariables,
  type StackFindings,
  serviceName,
  sourcesIn,
} from './init/detection.ts'
import { detectGo } from './init/go.ts'
import { detectNode } from './init/node.ts'
import { detectProcfile } from './init/procfile.ts'
import { alreadyThere, type ProjectFiles } from './init/project-files.ts'
import { detectPython } from './init/python.ts'
import { VARIABLE_NAME } from './scalars.ts'

/** What the person said on the command line; it comes before what the files say. */
export type InitAnswers = {
  /** `--command "node server.js"` */
  command?: string
  /** `--port-env HTTP_PORT`: the variable that the service reads its port from, if it is not PORT. */
  portEnv?: string
}

/**
 * Looks at a project and finds out how it starts, where it takes its port and which path tells its health.
 * Reads only; the file is made by `renderConfig` and written by `writeNewConfig`.
 */
export function detectProject(files: ProjectFiles, answers: InitAnswers = {}): Result<Detection> {
  if (files.exists('sluice.yaml')) return failed(alreadyThere('sluice.yaml'))
  const found = answers.command === undefined ? ok(detectStack(files)) : fromCommand(files, answers.command)
  if (found.kind === 'failed') return found
  if (found.value === null) return failed(nothingFound(files.folderName))
  const { name, sources, ...stack } = found.value
  const portEnv = portVariable(answers.portEnv)
  if (portEnv.kind === 'failed') return portEnv
  const health = findHealth(files, sources)
  return ok({
    ...stack,
    service: serviceName([name, files.folderName]),
    env: { ...fitVariables(stack.env), ...portEnv.value },
    health,
    findings: [
      ...stack.findings,
      ...(health.seenAt === null ? [] : [`${health.seenAt} serves ${health.path}.`]),
    ],
    toCheck: [
      ...stack.toCheck,
      ...(health.seenAt === null ? ['No health path was found, so / is asked.'] : []),
    ],
  })
}

/** A Procfile was written to say how the service starts, so it comes first. */
function detectStack(files: ProjectFiles): StackFindings | null {
  return detectProcfile(files) ?? detectNode(files) ?? detectPython(files) ?? detectGo(files)
}

function fromCommand(files: ProjectFiles, command: string): Result<StackFindings> {
  const words = readCommand(command)
  if (words.kind === 'refused') {
    const { message, remedy } = words.complaint
    return failed(problem('INIT_BAD_COMMAND', { message: `The command ${message}.`, remedy }))
  }
  const sources = sourcesIn(files, ['.', 'src', 'app', 'routes', 'lib'], /\.([cm]?[jt]s|py|go|rb)$/)
  return ok({
    stack: 'command',
    name: null,
    command: words.value,
    env: {},
    sources,
    findings: ['The command was given.'],
    toCheck: [],
  })
}

function portVariable(name: string | undefined): Result<Record<string, string>> {
  if (name === undefined || name === 'PORT') return ok({})
  if (VARIABLE_NAME.test(name)) return ok({ [name]: '{{port}}' })
  return failed(
    problem('INIT_BAD_VARIABLE', {
      message: `${JSON.stringify(name)} cannot be the name of a variable.`,
      remedy: 'Use letters, digits and underscores, for example --port-env HTTP_PORT.',
    }),
  )
}

const nothingFound = (folder: string) =>
  problem('INIT_NOTHING_FOUND', {
    message: `No way to start a service was found in ${folder === '' ? 'this folder' : folder}.`,
    cause: 'Looked for a Procfile, package.json with a start script, a Python web application and go.mod.',
    remedy:
      'Say how it starts: sluice init --command "python3 server.py --port {{port}}". If it reads its port from a variable: sluice init --command "./server" --port-env PORT',
  })
