import { createHash } from 'node:crypto'
import path from 'node:path'
import type { Project } from './controller/project.ts'
import { controllerArguments } from './controller/start-controller.ts'

export type UnitInput = {
  project: Project
  program: readonly [execPath: string, script: string]
  asRoot: boolean
  home: string
}

/** Two folders of the same name get two units. */
export function unitName({ folder }: Pick<Project, 'folder'>): string {
  const name =
    path
      .basename(folder)
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-') || 'root'
  return `sluice-${name}-${createHash('sha256').update(folder).digest('hex').slice(0, 6)}.service`
}

/** Where the unit file belongs: the system's units for root, else the user's own. */
export const unitPath = ({ project, asRoot, home }: Omit<UnitInput, 'program'>): string =>
  path.join(asRoot ? '/etc/systemd/system' : path.join(home, '.config/systemd/user'), unitName(project))

/** Only the controller is stopped with the unit: proxy, agent and instances go on serving through restarts and upgrades. */
export function unitText({ project, program, asRoot }: UnitInput): string {
  const start = [...program, ...controllerArguments(project)].map(unitWord).join(' ')
  return `[Unit]
Description=Sluice controller for ${unitValue(project.folder)}
After=network.target

[Service]
Type=exec
WorkingDirectory=${unitValue(project.folder)}
ExecStart=${start}
Restart=always
RestartSec=2
KillMode=process
KillSignal=SIGTERM
TimeoutStopSec=30

[Install]
WantedBy=${asRoot ? 'multi-user.target' : 'default.target'}
`
}

/** systemd.syntax(7): `%` starts a specifier, `$` a variable, quotes keep blanks. */
const unitValue = (text: string): string => text.replaceAll('%', '%%')
const unitWord = (text: string): string =>
  /^[\w./@:=+-]+$/.test(text)
    ? text
    : `"${unitValue(text).replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('$', '$$$$')}"`
