import type { CommandEntry } from './command.ts'

/** Every command of the CLI, in the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'init',
    group: 'Start',
    summary: 'write a first sluice.yaml for this folder',
    load: () => import('./commands/init.ts'),
  },
  {
    name: 'validate',
    group: 'Start',
    summary: 'check sluice.yaml',
    load: () => import('./commands/validate.ts'),
  },
  {
    name: 'explain',
    group: 'Start',
    summary: 'show every setting in force and where it comes from',
    load: () => import('./commands/explain.ts'),
  },
  {
    name: 'demo',
    group: 'Start',
    summary: 'watch a good and a bad release of an example service',
    load: () => import('./commands/demo.ts'),
  },
  {
    name: 'up',
    group: 'Start',
    summary: 'start the controller for this folder',
    load: () => import('./commands/up.ts'),
  },
  {
    name: 'down',
    group: 'Start',
    summary: 'stop everything of this folder, traffic too',
    load: () => import('./commands/down.ts'),
  },
  {
    name: 'service',
    group: 'Start',
    summary: 'start with the machine (systemd)',
    load: () => import('./commands/service.ts'),
  },
  {
    name: 'plan',
    group: 'Release',
    summary: 'show what deploying a version would do',
    load: () => import('./commands/plan.ts'),
  },
  {
    name: 'deploy',
    group: 'Release',
    summary: 'take a version into production, step by step',
    load: () => import('./commands/deploy.ts'),
  },
  {
    name: 'promote',
    group: 'Release',
    summary: 'go on to the next step now, or to the end',
    load: () => import('./commands/promote.ts'),
  },
  {
    name: 'pause',
    group: 'Release',
    summary: 'stay at the current step',
    load: () => import('./commands/pause.ts'),
  },
  {
    name: 'resume',
    group: 'Release',
    summary: 'go on after a pause',
    load: () => import('./commands/resume.ts'),
  },
  {
    name: 'abort',
    group: 'Release',
    summary: 'send all traffic back to stable and end the rollout',
    load: () => import('./commands/abort.ts'),
  },
  {
    name: 'rollback',
    group: 'Release',
    summary: 'go back to the version before, or to a named one',
    load: () => import('./commands/rollback.ts'),
  },
  {
    name: 'adopt',
    group: 'Release',
    summary: 'take a running process under control as it is',
    load: () => import('./commands/adopt.ts'),
  },
  {
    name: 'unadopt',
    group: 'Release',
    summary: 'let an adopted process go, unchanged',
    load: () => import('./commands/unadopt.ts'),
  },
  {
    name: 'status',
    group: 'Look',
    summary: 'what runs, on one screen',
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'watch',
    group: 'Look',
    summary: 'follow the rollout live',
    load: () => import('./commands/watch.ts'),
  },
  { name: 'history', group: 'Look', summary: 'past rollouts', load: () => import('./commands/history.ts') },
  {
    name: 'release',
    group: 'Look',
    summary: 'releases: list them, discard one that is held',
    load: () => import('./commands/release.ts'),
  },
  {
    name: 'logs',
    group: 'Look',
    summary: 'output of the instances',
    load: () => import('./commands/logs.ts'),
  },
  {
    name: 'doctor',
    group: 'Look after',
    summary: 'find what is wrong with this installation',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'outbox',
    group: 'Look after',
    summary: 'notifications: sent, waiting, failed',
    load: () => import('./commands/outbox.ts'),
  },
  {
    name: 'completion',
    group: 'Look after',
    summary: 'completion for bash, zsh or fish',
    load: () => import('./commands/completion.ts'),
  },
]
