import { lstat, readdir, readlink, realpath } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Whoever runs in a jail, seen from the host, when the agent itself is root. */
export const NOBODY = 65_534

/** Where things are inside a jail. */
export const INSIDE = {
  job: '/job',
  data: '/data',
  runner: '/app/runner.mjs',
  graph: '/app/graph',
  node: '/app/node'
} as const

/** What the host has, found once. */
export interface Host {
  bwrap: string
  /** Undefined where the tool is missing. */
  prlimit: string | undefined
  setpriv: string | undefined
  root: boolean
  /** Whether bubblewrap can forbid further user namespaces. */
  disableUserns: boolean
  /** Binds of system folders as they are on this host. */
  system: string[]
  /** The allow list of system calls; undefined where none is known or the kernel takes none. */
  filter: Buffer | undefined
}

export interface JailSpec {
  /** The job's folder on the host. */
  folder: string
  /** Bundle of the runner, and the folder that holds `@duckdb`. */
  runner: string
  nodeModules: string
  /** Files of the owner that the job may read: host path to path inside. */
  files: ReadonlyMap<string, string>
  /** Only for what reads a data owner's server. */
  network?: boolean
}

export interface Command {
  command: string
  args: string[]
  /** To be written to {@link FILTER_FD}, where bubblewrap reads it. */
  filter?: Buffer | undefined
}

export const FILTER_FD = 3

const ENVIRONMENT = {
  PATH: '/usr/bin',
  HOME: INSIDE.job,
  TMPDIR: '/tmp',
  LANG: 'C.UTF-8',
  TZ: 'UTC',
  UV_THREADPOOL_SIZE: '2',
  MALLOC_ARENA_MAX: '2'
}
const SQLITE = 'sqlite3/build/Release/node_sqlite3.node'
const TMP_BYTES = 64 * 1024 * 1024
/** Threads count too: the engine's, the runtime's and some room. */
const PROCESSES = 96
const OPEN_FILES = 4096

/**
 * The command line of one jail: no network, no host file but the system's programs, the runner and the named data files, all
 * read-only; only the job's folder and a small /tmp can be written.
 *
 * Run by root, an outer bubblewrap makes the mounts (the agent's folders may be closed to others) and an inner one, entered as
 * nobody, the user namespace: a single one entered by root would map to root on the host's files.
 */
export async function jailCommand(host: Host, spec: JailSpec): Promise<Command> {
  const folders = [
    '/app',
    '/app/node_modules',
    '/app/node_modules/@duckdb',
    ...['', '/build', '/build/Release'].map((folder) => `/app/node_modules/sqlite3${folder}`),
    INSIDE.data,
    ...new Set([...spec.files.values()].flatMap(foldersOf))
  ]
  const mounts = [
    ...host.system,
    // bubblewrap would close folders it makes on the way to everyone but root
    ...folders.flatMap((folder) => ['--perms', '0755', '--dir', folder]),
    ...bind('--ro-bind', process.execPath, INSIDE.node),
    ...bind('--ro-bind', spec.runner, INSIDE.runner),
    // what a job draws with; `-try`: a runner alone does everything else
    ...bind('--ro-bind-try', join(dirname(spec.runner), 'graph'), INSIDE.graph),
    ...(await enginePackages(spec.nodeModules)),
    // to read a data owner's SQLite file; a checkout that was not built has none
    ...bind('--ro-bind-try', join(spec.nodeModules, SQLITE), `/app/node_modules/${SQLITE}`),
    ...['--proc', '/proc', '--dev', '/dev'],
    ...['--perms', '1777', '--size', String(TMP_BYTES), '--tmpfs', '/tmp'],
    ...[...spec.files].flatMap(([from, to]) => bind('--ro-bind', from, to)),
    ...bind('--bind', spec.folder, INSIDE.job),
    // a tmpfs of its own, as large as half the machine's memory
    ...['--remount-ro', '/dev', '--remount-ro', '/']
  ]
  const environment = Object.entries(ENVIRONMENT).flatMap(([name, value]) => ['--setenv', name, value])
  const userns = ['--unshare-user', ...(host.disableUserns ? ['--disable-userns'] : [])]
  const limits =
    host.prlimit === undefined
      ? []
      : [host.prlimit, `--nproc=${PROCESSES}`, `--nofile=${OPEN_FILES}`, '--core=0']
  const program = [...limits, INSIDE.node, '--max-old-space-size=256', INSIDE.runner]
  const { filter } = host
  const filtered = filter === undefined ? [] : ['--seccomp', String(FILTER_FD)]
  const always = ['--die-with-parent', '--new-session', '--clearenv', ...environment, ...mounts]
  if (!host.root || host.setpriv === undefined) {
    return {
      command: host.bwrap,
      args: [
        '--unshare-all',
        ...(spec.network === true ? ['--share-net'] : []),
        ...userns,
        ...always,
        '--chdir',
        INSIDE.job,
        '--cap-drop',
        'ALL',
        ...filtered,
        '--',
        ...program
      ],
      filter
    }
  }
  const net = spec.network === true ? [] : ['--unshare-net']
  const spaces = ['--unshare-ipc', '--unshare-pid', ...net, '--unshare-uts', '--unshare-cgroup-try']
  // the job's folder is closed to root without its capabilities: only the inner one enters it
  const outer = [
    ...spaces,
    ...always,
    '--chdir',
    '/',
    '--cap-drop',
    'ALL',
    '--cap-add',
    'CAP_SETUID',
    '--cap-add',
    'CAP_SETGID'
  ]
  const nobody = [
    host.setpriv,
    '--reuid',
    String(NOBODY),
    '--regid',
    String(NOBODY),
    '--clear-groups',
    '--inh-caps=-all'
  ]
  const inner = [
    host.bwrap,
    ...userns,
    '--die-with-parent',
    '--dev-bind',
    '/',
    '/',
    '--chdir',
    INSIDE.job,
    '--cap-drop',
    'ALL',
    ...filtered
  ]
  return { command: host.bwrap, args: [...outer, '--', ...nobody, '--', ...inner, '--', ...program], filter }
}

/** The system's folders as this host has them: /lib and the like are links into /usr on most, folders on some. */
export async function systemBinds(): Promise<string[]> {
  const binds = ['--ro-bind', '/usr', '/usr']
  for (const path of ['/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32']) {
    const found = await lstat(path).catch(() => undefined)
    if (found?.isSymbolicLink()) binds.push('--symlink', await readlink(path), path)
    else if (found?.isDirectory()) binds.push('--ro-bind', path, path)
  }
  return binds
}

async function enginePackages(nodeModules: string): Promise<string[]> {
  const scope = join(nodeModules, '@duckdb')
  const names = (await readdir(scope)).filter((name) => name.startsWith('node-bindings'))
  const paths = await Promise.all(
    names.map(async (name) => [await realpath(join(scope, name)), `/app/node_modules/@duckdb/${name}`])
  )
  return paths.flatMap((pair) => ['--ro-bind', ...pair])
}

/** The folders between {@link INSIDE.data} and a file, the outer ones first. */
function foldersOf(file: string): string[] {
  const folder = dirname(file)
  return folder === dirname(folder) || folder === INSIDE.data ? [] : [...foldersOf(folder), folder]
}

function bind(how: '--bind' | '--ro-bind' | '--ro-bind-try', from: string, to: string): string[] {
  return [how, from, to]
}
