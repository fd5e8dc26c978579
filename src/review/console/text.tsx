import { unseen } from "./format.ts";

/**
 * Text that somebody else wrote: a text node, set apart in direction from what is around it. Characters that cannot be
 * seen, or that turn a text around, stand there by their code points: `test.png` must be what it looks like.
 */
export const Text = ({ of, class: name, title }: { of: string; class?: string; title?: string }) => (
  <bdi class={name} title={title}>
    {unseen(of).map((part, index) =>
      index % 2 === 0 ? (
        part
      ) : (
        <span key={index} class="unseen" title="A character that cannot be seen">
          {part}
        </span>
      ),
    )}
  </bdi>
);
