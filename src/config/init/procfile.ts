import { readStartLine, viaShell } from './command-line.ts'
import type { StackFindings } from './detection.ts'
import { sourcesIn } from './detection.ts'
import type { ProjectFiles } from './project-files.ts'

/** The `web` process of a Procfile: somebody has already said how the service starts. */
export function detectProcfile(files: ProjectFiles): StackFindings | null {
  const lines = files.read('Procfile')?.split('\n') ?? []
  const index = lines.findIndex((line) => /^web\s*:/.test(line))
  const web = lines[index]?.replace(/^web\s*:\s*/, '').trim()
  if (web === undefined || web === '' || web.includes('{{')) return null
  const line = readStartLine(web)
  const needsShell = line === null
  return {
    stack: 'procfile',
    name: null,
    command: line?.words ?? viaShell(web),
    env: line?.env ?? {},
    sources: sourcesIn(files, ['.', 'src', 'app', 'routes', 'lib', 'cmd'], /\.([cm]?[jt]s|py|go|rb)$/),
    findings: [`Procfile:${index + 1} says how the web process starts.`],
    toCheck: needsShell
      ? [
          'The line of the Procfile needs a shell. See that the last program in it is started with "exec", so that it gets the stop signal.',
        ]
      : [],
  }
}
