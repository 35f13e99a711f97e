import { execFileSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import { defineCommand } from '../command.ts'
import { findProject, type Project } from '../controller/project.ts'
import { ensureController, prepareStateFolder } from '../controller/start-controller.ts'
import { stopControllers } from '../controller/stop-controller.ts'
import { installUnit, SYSTEMD_FOLDER } from '../service-install.ts'
import type { Session } from '../session.ts'
import { unitName, unitPath, unitText } from '../systemd-unit.ts'
import { quiet, span, strong } from '../text/line.ts'

/** systemctl answers within this, or something hangs. */
const SYSTEMCTL_TIMEOUT_MS = 30_000

export const command = defineCommand({
  description:
    'Lets systemd start the controller with the machine: as a system unit for root, as a user unit otherwise. A restart of the unit never touches traffic.',
  arguments: [
    { name: 'action', summary: 'what to do', required: true, choices: ['install', 'uninstall', 'print'] },
  ],
  options: [],
  examples: ['sluice service print', 'sudo sluice service install'],
  input: z.object({ action: z.enum(['install', 'uninstall', 'print']) }),
  async run(session, { action }) {
    const project = findProject(session)
    if (project.kind === 'failed') return session.fail(project.problem)
    const place = placeOf(session, project.value)
    switch (action) {
      case 'print':
        session.value('unit', { file: place.file, text: place.text })
        session.note(`# ${place.file}`)
        session.say(
          place.text
            .trimEnd()
            .split('\n')
            .map((text) => [span(text)]),
        )
        return EXIT_CODE.promoted
      case 'install':
        return install(session, project.value, place)
      case 'uninstall':
        return uninstall(session, place)
    }
  },
})

type Place = { name: string; file: string; text: string; asRoot: boolean }

function placeOf({ io }: Session, project: Project): Place {
  const asRoot = process.getuid?.() === 0
  const home = io.env.HOME ?? homedir()
  return {
    name: unitName(project),
    file: unitPath({ project, asRoot, home }),
    text: unitText({ project, program: io.program, asRoot, home }),
    asRoot,
  }
}

/** A controller started by hand makes room first: traffic does not notice. */
async function install(session: Session, project: Project, place: Place): Promise<number> {
  const installed = await installUnit(place, {
    systemdFolder: SYSTEMD_FOLDER,
    systemctl: (words) => systemctl(place, words),
    stopControllers: () => {
      prepareStateFolder(project.state)
      return stopControllers(session, project.state)
    },
    startController: () => ensureController(session, project),
  })
  if (installed.kind === 'failed') return session.fail(installed.problem)
  session.value('installed', { file: place.file, unit: place.name })
  session.say([
    [span('✓ ', 'good'), strong(`${place.name} runs and starts with the machine.`)],
    [quiet(`  ${place.file}`)],
    ...(place.asRoot
      ? []
      : [
          [
            quiet(
              '  A user unit starts when you log in; `loginctl enable-linger` starts it with the machine.',
            ),
          ],
        ]),
  ])
  return EXIT_CODE.promoted
}

function uninstall(session: Session, place: Place): number {
  if (!existsSync(place.file)) {
    session.note(`${place.file} does not exist: nothing to do.`)
    return EXIT_CODE.promoted
  }
  const disabled = systemctl(place, ['disable', '--now', place.name])
  if (disabled.kind === 'failed') return session.fail(disabled.problem)
  rmSync(place.file)
  const reloaded = systemctl(place, ['daemon-reload'])
  if (reloaded.kind === 'failed') return session.fail(reloaded.problem)
  session.value('uninstalled', { file: place.file, unit: place.name })
  session.say([
    [
      span('✓ ', 'good'),
      span(`${place.name} is removed. Traffic flows on; \`sluice up\` starts the controller by hand.`),
    ],
  ])
  return EXIT_CODE.promoted
}

function systemctl({ asRoot }: Place, words: readonly string[]): Result<string> {
  const all = asRoot ? [...words] : ['--user', ...words]
  try {
    return ok(
      execFileSync('systemctl', all, {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: SYSTEMCTL_TIMEOUT_MS,
      }),
    )
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
    return failed(
      problem('SYSTEMD_REFUSED', {
        message: `\`systemctl ${all.join(' ')}\` failed.`,
        cause: said === '' ? (error instanceof Error ? error.message : String(error)) : said,
        remedy:
          'Where systemd is missing, `sluice service print` shows what another service manager has to start.',
      }),
    )
  }
}
