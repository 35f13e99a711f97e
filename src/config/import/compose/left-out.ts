import { nearestOf } from '../../nearest.ts'
import type { Keys } from './notes.ts'

/** Keys of a service that become something here, whatever that is. */
const READ = [
  'image',
  'build',
  'command',
  'entrypoint',
  'environment',
  'env_file',
  'secrets',
  'ports',
  'expose',
  'volumes',
  'networks',
  'network_mode',
  'healthcheck',
  'deploy',
  'scale',
  'cpus',
  'mem_limit',
  'depends_on',
  'restart',
  'stop_grace_period',
  'stop_signal',
  'profiles',
]

const RIGHTS = 'Instances get no rights beyond those that the engine gives every container.'
const ENGINE = 'The engine decides it for every container.'
const ADDRESS = 'Instances are several, and each has a name and an address of its own.'

/** Why a key of a service has no place here. */
const LEFT_OUT = new Map([
  ['annotations', 'Containers carry labels of Sluice only.'],
  ['blkio_config', ENGINE],
  ['cap_add', RIGHTS],
  ['cap_drop', 'It is not taken from instances yet. The image can run as a user without rights.'],
  ['cgroup', ENGINE],
  ['cgroup_parent', ENGINE],
  ['configs', 'Put the file into the image, or mount it with run.volumes.'],
  ['container_name', ADDRESS],
  ['cpu_shares', 'Only limits are kept: run.resources.cpus.'],
  ['credential_spec', RIGHTS],
  ['develop', 'It is for work on the sources. A release runs what is in its image.'],
  ['device_cgroup_rules', RIGHTS],
  ['devices', `${RIGHTS} A service that needs a device stays with compose.`],
  ['dns', ENGINE],
  ['dns_opt', ENGINE],
  ['dns_search', ENGINE],
  ['domainname', ADDRESS],
  ['external_links', 'Containers on one network find each other by name.'],
  ['extra_hosts', 'Write the address itself under run.env.'],
  ['gpus', `${RIGHTS} A service that needs a device stays with compose.`],
  ['group_add', 'The image says as which user and groups it runs.'],
  ['hostname', ADDRESS],
  ['init', 'The program itself must reap what it starts and end on SIGTERM.'],
  ['ipc', RIGHTS],
  ['isolation', ENGINE],
  [
    'labels',
    'Containers carry labels of Sluice only. What a router read from them stands in listen, hosts and paths.',
  ],
  ['links', 'Containers on one network find each other by name.'],
  ['logging', 'Output is read from the engine: see "sluice logs".'],
  ['mac_address', ADDRESS],
  ['mem_reservation', 'Only limits are kept: run.resources.memory.'],
  ['memswap_limit', ENGINE],
  ['oom_kill_disable', ENGINE],
  ['oom_score_adj', ENGINE],
  ['pid', RIGHTS],
  ['pids_limit', ENGINE],
  [
    'platform',
    'The image of a version must be one for this machine; another one is refused before anything starts.',
  ],
  ['post_start', 'Nothing runs in an instance beside its program.'],
  ['pre_stop', 'Nothing runs in an instance beside its program: it gets SIGTERM and has run.stopGrace.'],
  ['privileged', `${RIGHTS} A service that needs them stays with compose.`],
  ['pull_policy', 'A version is pulled by its digest before anything is decided.'],
  ['read_only', 'It is not set on instances yet.'],
  ['runtime', ENGINE],
  ['security_opt', RIGHTS],
  ['shm_size', ENGINE],
  ['stdin_open', 'Nobody types into an instance.'],
  ['storage_opt', ENGINE],
  ['sysctls', ENGINE],
  ['tmpfs', 'Only paths and named volumes are mounted.'],
  ['tty', 'Nobody types into an instance.'],
  ['ulimits', ENGINE],
  ['user', 'The image says as which user it runs: write USER into its Dockerfile.'],
  ['userns_mode', ENGINE],
  ['uts', RIGHTS],
  ['volumes_from', 'Name the volumes themselves under run.volumes.'],
  ['working_dir', 'The image says where it runs: write WORKDIR into its Dockerfile.'],
])

/** Answers for every key of a service that nobody reads. Extensions (`x-...`) are there to be named by others. */
export function leaveOutOthers(keys: Keys): void {
  for (const name of keys.names) {
    if (READ.includes(name) || name.startsWith('x-') || isNothing(keys.raw(name))) continue
    // That the service cannot be read without it has been said where the image is looked for.
    if (name === 'extends' && keys.raw('image') === undefined && keys.raw('build') === undefined) continue
    keys.leaveOut(name, LEFT_OUT.get(name) ?? unknownKey(name))
  }
}

/** What is said to be off was not wanted anyway. */
const isNothing = (value: unknown): boolean =>
  value === undefined || value === false || (Array.isArray(value) && value.length === 0)

function unknownKey(name: string): string {
  if (name === 'extends')
    return 'What stands in the other service is not followed. "docker compose config --no-interpolate" writes a file in which everything stands: import that one.'
  const nearest = nearestOf(name, [...READ, ...LEFT_OUT.keys()])
  return `It is no key of Compose that is known here.${nearest === null ? '' : ` Did you mean ${nearest}?`}`
}
