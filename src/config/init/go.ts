import { findPlace, type StackFindings, sourcesIn } from './detection.ts'
import type { ProjectFiles } from './project-files.ts'

export function detectGo(files: ProjectFiles): StackFindings | null {
  const module = /^module\s+(\S+)/m.exec(files.read('go.mod') ?? '')?.[1]
  if (module === undefined) return null
  const name =
    module
      .replace(/\/v\d+$/, '')
      .split('/')
      .at(-1) ?? module
  const commands = files.list('cmd').filter((folder) => files.exists(`cmd/${folder}/main.go`))
  const program = files.exists('main.go') ? name : (commands[0] ?? name)
  const source = files.exists('main.go') ? '.' : `./cmd/${program}`
  const binary = [program, `bin/${program}`, `build/${program}`, `dist/${program}`].find(
    (path) => files.exists(path) && files.list(path).length === 0,
  )
  const sources = sourcesIn(
    files,
    [source.replace(/^\.\//, ''), '.', 'internal', 'internal/server', 'internal/http', 'server', 'handlers'],
    /\.go$/,
  )
  const port = portOf(files, sources)
  return {
    stack: 'go',
    name,
    command: [`./${binary ?? program}`, ...port.words],
    env: {},
    sources,
    findings: [
      `go.mod names the module ${module}.`,
      ...(binary === undefined ? [] : [`${binary} is its program.`]),
      ...port.findings,
    ],
    toCheck: [
      ...(binary === undefined
        ? [`Build the program before each deployment: go build -o ${program} ${source}`]
        : []),
      ...port.toCheck,
    ],
  }
}

function portOf(
  files: ProjectFiles,
  sources: readonly string[],
): { words: string[]; findings: string[]; toCheck: string[] } {
  const flag = findPlace(files, sources, /flag\.(?:String|Int|Uint)(?:Var)?\((?:&\w+,\s*)?"(port|http-port)"/)
  if (flag !== null)
    return {
      words: [`--${flag.match[1]}`, '{{port}}'],
      findings: [`${flag.place} takes the port as the flag --${flag.match[1]}.`],
      toCheck: [],
    }
  const address = findPlace(files, sources, /flag\.String(?:Var)?\((?:&\w+,\s*)?"(addr|listen|http|bind)"/)
  if (address !== null)
    return {
      words: [`--${address.match[1]}`, '127.0.0.1:{{port}}'],
      findings: [`${address.place} takes the address as the flag --${address.match[1]}.`],
      toCheck: [],
    }
  const variable = findPlace(files, sources, /os\.(?:Getenv|LookupEnv)\("PORT"\)/)
  if (variable !== null)
    return { words: [], findings: [`${variable.place} reads the port from the variable PORT.`], toCheck: [] }
  return {
    words: [],
    findings: [],
    toCheck: [
      'No place was found that reads the variable PORT. See that the service listens on the port given there.',
    ],
  }
}
