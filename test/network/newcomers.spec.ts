import { multiaddr } from '@multiformats/multiaddr'
import { expect } from 'chai'
import { MAX_OF_HOST, Newcomers } from '../../agent/network/newcomers.ts'

const from = (address: string) => ({
  remoteAddr: multiaddr(address),
  addEventListener: () => undefined
})

/** How many of some that come from these addresses are let in. */
function letIn(addresses: readonly string[]): number {
  const newcomers = new Newcomers(() => undefined)
  return addresses.filter((address) => !newcomers.turnsAway(from(address))).length
}

const many = (address: (index: number) => string): string[] =>
  Array.from({ length: 3 * MAX_OF_HOST }, (_, index) => address(index))

describe('Connections that have not said hello', () => {
  it('are few of one address', () => {
    expect(letIn(many((index) => `/ip4/192.0.2.7/tcp/${1000 + index}`))).to.equal(MAX_OF_HOST)
    expect(letIn(many((index) => `/ip6/::1/tcp/${1000 + index}`))).to.equal(MAX_OF_HOST)
  })

  it('are few of one IPv6 network, of which whoever has one address has all', () => {
    const within = many((index) => `/ip6/2001:db8:1:2::${(index + 1).toString(16)}/tcp/1000`)
    expect(letIn(within)).to.equal(MAX_OF_HOST)
    const other = many((index) => `/ip6/2001:db8:1:${(index + 1).toString(16)}::1/tcp/1000`)
    expect(letIn(other)).to.equal(other.length)
    const short = many((index) => `/ip6/2001:db8::${(index + 1).toString(16)}/tcp/1000`)
    expect(letIn(short)).to.equal(MAX_OF_HOST)
  })

  it('are counted each for itself where IPv4 addresses are written as IPv6', () => {
    const mapped = many((index) => `/ip6/::ffff:192.0.2.${index + 1}/tcp/1000`)
    expect(letIn(mapped)).to.equal(mapped.length)
  })
})
