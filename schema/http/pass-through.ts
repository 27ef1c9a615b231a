/** How entries name what goes to a provider's own address, and how keys are allowed it: everything below the name of a provider. */
export const PASS_THROUGH = '/{provider}/';
