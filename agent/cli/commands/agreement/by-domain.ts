import type { ResolveUser } from '../../../../policy/index.ts'

/** Whose mail domain it is, only a marketplace tells; for reading alone the domain itself will do. */
export const byDomain: ResolveUser = (address) => ({
  organisation: address.slice(address.lastIndexOf('@') + 1),
  name: address
})
