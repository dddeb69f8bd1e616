import { ALLOWED, LAST_KNOWN, type SystemCall } from './system-calls.ts'

export type FilteredArchitecture = 'x64' | 'arm64'

/** Instructions of the classic Berkeley packet filter, as `linux/filter.h` numbers them. */
const LOAD = 0x20
const JUMP_EQUAL = 0x15
const JUMP_NOT_BELOW = 0x35
const AND = 0x54
const RETURN = 0x06
/** Offsets into what the kernel shows of a call: `struct seccomp_data`, little-endian. */
const NUMBER = 0
const ARCHITECTURE = 4
const argument = (index: number): number => 16 + 8 * index

const ALLOW = 0x7fff0000
const EPERM = 0x00050001
const ENOSYS = 0x00050026
const KILL = 0x80000000

/** How the kernel names the architecture of a call; a 32-bit call in a 64-bit process has another one. */
const AUDIT: Readonly<Record<FilteredArchitecture, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 }
/** Calls of the x32 interface carry this bit on top of their number. */
const X32 = 0x40000000

/** A thread shares everything with its process; every other use of `clone` makes a process or a namespace. */
const CLONE_THREAD = 0x00010000
/** `CLONE_NEWTIME` is left out: for `clone` that bit belongs to the signal. */
const CLONE_NAMESPACES = 0x7e020000
/** On terminals and pipes: to look, and to set how they block. `TIOCSTI` and `TIOCLINUX`, which type for others, are not here. */
const IOCTLS = [0x5401, 0x5413, 0x541b, 0x5421, 0x5450, 0x5451]
/** `PR_GET_DUMPABLE`, names of threads and of memory, and asking for a capability. */
const PRCTLS = [3, 15, 16, 23, 0x53564d41]
/** `AF_INET` and `AF_INET6`: no sockets of this machine, no packets, no messages to the kernel. */
const FAMILIES = [2, 10]
/** Answered as by a kernel without them, so that the C library takes the older call, whose flags can be looked at. */
const ABSENT: Readonly<Record<FilteredArchitecture, number>> = { x64: 435, arm64: 435 }

interface Instruction {
  code: number
  /** How many instructions to skip when it holds, and when not. */
  yes?: number
  no?: number
  value: number
}
type Block = readonly Instruction[]

/** Whether a filter is known for this machine. */
export function isFiltered(architecture: string): architecture is FilteredArchitecture {
  return architecture === 'x64' || architecture === 'arm64'
}

/**
 * The allow list of system calls as bytes for `bwrap --seccomp`: what is not in the table fails with EPERM, what is newer than the
 * table with ENOSYS, so that libraries fall back; a call of another architecture ends the process. `more` is allowed besides.
 */
export function seccompFilter(architecture: FilteredArchitecture, more: readonly SystemCall[] = []): Buffer {
  const rows = [...ALLOWED, ...more].flatMap(([name, x64, arm64]) => {
    const number = architecture === 'x64' ? x64 : arm64
    return number === null ? [] : [{ number, block: blockOf(name) }]
  })
  rows.push({ number: ABSENT[architecture], block: [answer(ENOSYS)] })
  const start: Instruction[] = [
    { code: LOAD, value: ARCHITECTURE },
    { code: JUMP_EQUAL, value: AUDIT[architecture], yes: 1, no: 0 },
    answer(KILL),
    { code: LOAD, value: NUMBER }
  ]
  if (architecture === 'x64') start.push({ code: JUMP_NOT_BELOW, value: X32, yes: 0, no: 1 }, answer(KILL))
  return bytesOf([...start, ...search(ranges(rows))])
}

interface Range {
  /** The first number it holds for; it ends where the next one begins. */
  from: number
  block: Block
}

/** Neighbours with the same answer are one range: the search gets shorter. */
function ranges(rows: readonly { number: number; block: Block }[]): Range[] {
  const byNumber = new Map(rows.map(({ number, block }) => [number, block]))
  const found: Range[] = []
  for (let number = 0; number <= LAST_KNOWN + 1; number++) {
    const beyond = number > LAST_KNOWN ? [answer(ENOSYS)] : [answer(EPERM)]
    const block = byNumber.get(number) ?? beyond
    const last = found.at(-1)
    if (last === undefined || !same(last.block, block)) found.push({ from: number, block })
  }
  return found
}

function same(one: Block, other: Block): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

/** A binary search over the ranges, unrolled: the filter has no loops. */
function search(among: readonly Range[]): Block {
  const [only] = among
  if (only === undefined) return []
  if (among.length === 1) return only.block
  const half = Math.ceil(among.length / 2)
  const [lower, upper] = [among.slice(0, half), among.slice(half)]
  const below = search(lower)
  return [
    { code: JUMP_NOT_BELOW, value: upper[0]?.from ?? 0, yes: below.length, no: 0 },
    ...below,
    ...search(upper)
  ]
}

function blockOf(name: string): Block {
  switch (name) {
    case 'clone':
      return [
        { code: LOAD, value: argument(0) },
        { code: AND, value: CLONE_THREAD + CLONE_NAMESPACES },
        { code: JUMP_EQUAL, value: CLONE_THREAD, yes: 0, no: 1 },
        answer(ALLOW),
        answer(EPERM)
      ]
    case 'ioctl':
      return oneOf(argument(1), IOCTLS)
    case 'prctl':
      return oneOf(argument(0), PRCTLS)
    case 'socket':
      return oneOf(argument(0), FAMILIES)
    default:
      return [answer(ALLOW)]
  }
}

function oneOf(offset: number, values: readonly number[]): Block {
  return [
    { code: LOAD, value: offset },
    ...values.flatMap((value) => [{ code: JUMP_EQUAL, value, yes: 0, no: 1 }, answer(ALLOW)]),
    answer(EPERM)
  ]
}

function answer(value: number): Instruction {
  return { code: RETURN, value }
}

function bytesOf(program: Block): Buffer {
  const bytes = Buffer.alloc(program.length * 8)
  program.forEach(({ code, yes = 0, no = 0, value }, index) => {
    bytes.writeUInt16LE(code, index * 8)
    // throws beyond 255, the longest jump there is
    bytes.writeUInt8(yes, index * 8 + 2)
    bytes.writeUInt8(no, index * 8 + 3)
    bytes.writeUInt32LE(value, index * 8 + 4)
  })
  return bytes
}
