/* answer_slices.c: the head of an answer whose body lies in slices: the same as for any stored object, but that the body comes
 * from slices.h, and that the head's own record is not needed any more once its answer has begun.
 */
#include "slices.h"

/* The head of what was selected, and the texts between its parts. False: memory ended. */
static bool
write_head(struct exchange *exchange, const struct object *object, const struct selection *selection,
           struct span **texts)
{
    *texts = NULL;
    if (selection->kind != SELECT_PARTS)
        return answer_write_whole(exchange, object, SPAN_EMPTY);
    if (selection->count == 1)
        return answer_write_part(exchange, object, selection->parts[0], object->complete);
    *texts = answer_write_parts(exchange, object, object->complete, selection);
    return *texts != NULL;
}

/* The head's copy is written, since the one that was found goes back before the answer goes out. */
static enum step_result
answer_selected(struct exchange *exchange, const struct object *object, const struct selection *selection,
                bool arriving)
{
    struct span *texts;

    if (!slices_open(exchange, object, selection, arriving))
        return answer_fail(exchange);
    if (selection->kind != SELECT_PARTS && exchange->answer.len > 0)
        return answer_own_head(exchange, slices_object(exchange));
    if (!write_head(exchange, slices_object(exchange), selection, &texts))
        return answer_fail(exchange);
    slices_set_texts(exchange, texts);
    return answer_deliver(exchange);
}

static enum step_result
answer_head_alone(struct exchange *exchange, const struct object *object)
{
    cursor_close(&exchange->out.cursor);
    return answer_write_whole(exchange, object, SPAN_EMPTY) ? answer_deliver(exchange)
                                                            : answer_fail(exchange);
}

enum step_result
answer_slices(struct exchange *exchange, const struct object *object, bool arriving)
{
    struct selection selection;

    if (exchange->head.method == METHOD_HEAD)
        return answer_head_alone(exchange, object);
    answer_select(exchange, object, object->complete, &selection);
    if (selection.kind == SELECT_NOTHING)
        return answer_no_part(exchange, object->complete);
    bool follows = arriving && (object->flags & OBJECT_UNRANGED);
    if (follows && selection.kind == SELECT_PARTS && selection.count > 1)
        selection.kind = SELECT_WHOLE; /* they would have to be kept until their turn comes */
    if (!arriving && (object->flags & OBJECT_UNRANGED) && !slices_are_there(exchange, object, &selection)) {
        slices_take_back(exchange);
        return find_again(exchange);
    }
    return answer_selected(exchange, object, &selection, arriving);
}
