/** How long an agreement lasts that says nothing of it. */
export const TEN_YEARS = 3650 * 86_400_000
