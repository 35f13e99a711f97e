import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type Problem, problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'

/** sd_booted(3): the folder exists exactly where systemd is the init of this machine. */
export const SYSTEMD_FOLDER = '/run/systemd/system'

/** What installing touches: systemd and the controller of the folder. */
export type InstallParts = {
  systemdFolder: string
  systemctl(words: readonly string[]): Result<string>
  /** Ends the controllers that were started by hand, and says how many there were. */
  stopControllers(): Promise<Result<number>>
  startController(): Promise<Result<unknown>>
}

type Unit = { name: string; file: string; text: string }

/** Writes and starts the unit. A failure leaves everything as it was: no new unit file, and a controller where one ran. */
export async function installUnit(unit: Unit, parts: InstallParts): Promise<Result<null>> {
  if (!existsSync(parts.systemdFolder)) return failed(systemdMissing(parts.systemdFolder))
  const known = parts.systemctl(['--version'])
  if (known.kind === 'failed') return known
  const before = existsSync(unit.file) ? readFileSync(unit.file, 'utf8') : null
  mkdirSync(path.dirname(unit.file), { recursive: true })
  writeFileSync(unit.file, unit.text)
  const stopped = await parts.stopControllers()
  const done = stopped.kind === 'failed' ? stopped : enable(unit, parts)
  if (done.kind === 'ok') return ok(null)
  const undone = undo(unit, before, parts)
  if (stopped.kind === 'failed' || stopped.value === 0) return failed(withCause(done.problem, undone))
  const started = await parts.startController()
  const controller =
    started.kind === 'ok'
      ? 'The controller was started again.'
      : `The controller could not be started again: ${started.problem.message} Run \`sluice up\`.`
  return failed(withCause(done.problem, `${undone} ${controller}`))
}

function enable({ name }: Unit, { systemctl }: InstallParts): Result<unknown> {
  const reloaded = systemctl(['daemon-reload'])
  return reloaded.kind === 'failed' ? reloaded : systemctl(['enable', '--now', name])
}

/** systemd may have taken the unit half way: what it says to this does not matter beside the failure itself. */
function undo({ name, file }: Unit, before: string | null, { systemctl }: InstallParts): string {
  if (before === null) {
    systemctl(['disable', '--now', name])
    rmSync(file, { force: true })
  } else {
    writeFileSync(file, before)
  }
  systemctl(['daemon-reload'])
  return before === null ? `${file} was removed again.` : `${file} is what it was before.`
}

const withCause = (of: Problem, also: string): Problem => ({
  ...of,
  cause: of.cause === undefined ? also : `${of.cause}\n${also}`,
})

const systemdMissing = (folder: string): Problem =>
  problem('SYSTEMD_REFUSED', {
    message: `systemd does not run this machine: there is no ${folder}. Nothing was changed.`,
    remedy: '`sluice service print` shows the command that your own init has to start.',
  })
