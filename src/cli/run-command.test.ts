import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { COMMANDS } from './command-list.ts'
import { createTestIo } from './fixture/test-io.test.fixture.ts'
import { runCli } from './main.ts'

const run = async (...argv: string[]) => {
  const io = createTestIo({ cwd: tmpdir() })
  return { code: await runCli(argv, io), out: io.stdout(), err: io.stderr(), documents: io.documents }
}

describe('the command line', () => {
  it('prints its version alone on a line', async () => {
    const { code, out } = await run('--version')
    expect(code).toBe(0)
    expect(out).toMatch(/^\d+\.\d+\.\d+\S*\n$/)
  })

  it.each([
    [['--version', '--config', 'sluice.yaml']],
    [['--config', 'sluice.yaml', '-V']],
    [['--json', '--version']],
  ])('prints its version for %j too', async (argv) => {
    const { code, out } = await run(...argv)
    expect(code).toBe(0)
    expect(out).toMatch(/^\d+\.\d+\.\d+\S*\n$/)
  })

  it('offers the nearest command for a mistyped one and ends with 2', async () => {
    const { code, err, out } = await run('deplyo', '1.0.0')
    expect(code).toBe(2)
    expect(err).toContain('There is no command "deplyo".')
    expect(err).toContain('Did you mean `sluice deploy`?')
    expect(out).toBe('')
  })

  it('offers the nearest option for a mistyped one and ends with 2', async () => {
    const { code, err } = await run('deploy', '1.0.0', '--tiemout', '5m')
    expect(code).toBe(2)
    expect(err).toContain('unknown option "--tiemout"')
    expect(err).toContain('Did you mean --timeout?')
  })

  it.each([['rollback'], ['pause'], ['status']])(
    'takes --yes for %s too, which asks nothing: in a script it must not fail for it',
    async (name) => {
      const { err } = await run(name, '--yes', '--config', 'no-such-file.yaml')
      expect(err).toContain('no-such-file.yaml')
      expect(err).not.toContain('unknown option')
    },
  )

  it.each([
    [['deploy', '1.0.0', '--timeout', 'soon'], '"soon" is not a time'],
    [['adopt', '--version', '1.0.0', '--port', '70000'], '"70000" is not a whole number from 1 to 65535'],
    [['adopt', '--version', '1.0.0'], 'adopt needs --port'],
    [['deploy'], 'deploy needs a version'],
    [['deploy', '1.0.0', '--plan', 'plan-1'], 'do not go together'],
    [['release', 'remove'], 'is invalid'],
    [['--env', 'staging'], 'No command was given'],
  ])('refuses %j', async (argv, message) => {
    const { code, err } = await run(...argv)
    expect(code).toBe(2)
    expect(err).toContain(message)
  })

  it('gives problems as one JSON document with --json, and nothing else on standard output', async () => {
    const io = createTestIo({ cwd: tmpdir() })
    expect(await runCli(['status', '--json', '--config', 'no-such-file.yaml'], io)).toBe(2)
    expect(io.documents()).toEqual([
      expect.objectContaining({
        schemaVersion: 1,
        type: 'problem',
        problem: expect.objectContaining({ code: 'CONFIG_NOT_FOUND' }),
      }),
    ])
    expect(io.stderr()).toBe('')
  })

  it.each(COMMANDS.map(({ name }) => name))(
    'helps with "%s", with an example that starts with sluice',
    async (name) => {
      const { code, out } = await run(name, '--help')
      expect(code).toBe(0)
      expect(out).toContain(`Usage: sluice ${name}`)
      expect(out).toMatch(/Examples?\n {2}.*sluice /)
      expect((await run('help', name)).out).toBe(out)
    },
  )

  it.each([[['--config', 'other.yaml', '--help']], [['--env', 'staging', '-h']], [['help', '--json']]])(
    'prints the general help for %j',
    async (words) => {
      expect(await run(...words)).toMatchObject({ code: 0, out: (await run('--help')).out })
    },
  )

  it('lists every command in its help', async () => {
    const { out } = await run('--help')
    for (const { name, summary } of COMMANDS) expect(out).toContain(`  ${name.padEnd(26)}${summary}`)
  })

  it.each(['bash', 'zsh', 'fish'])('completes commands and options in %s', async (shell) => {
    const { code, out } = await run('completion', shell)
    expect(code).toBe(0)
    expect(out).toContain('deploy')
    expect(out).toContain('timeout')
  })
})
