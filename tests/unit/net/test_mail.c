/* test_mail.c: mail and stops from other threads, which wake the loop when it sleeps or is about to.
 *
 * A wake-up that is lost leaves a loop asleep for ever: the time limits of the tests tell. The thread
 * sanitizer sees the rest.
 */
#include <larder/net/loop.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

static struct loop *
create_loop(void)
{
    struct loop *loop;
    struct fault fault;

    cr_assert_eq(loop_create(&loop, &fault), ERR_NONE);
    return loop;
}

enum { POSTERS = 4, POSTS = 20000, MANY = POSTERS * POSTS };

struct letter {
    struct mail   mail;
    struct inbox *inbox;
    unsigned      poster, number;
};

struct inbox {
    struct loop *loop;
    unsigned     next[POSTERS]; /* the number that is expected from each */
    unsigned     count;
    _Atomic bool posting;
};

struct poster {
    pthread_t      thread;
    struct inbox  *inbox;
    struct letter *letters;
    unsigned       number;
};

static void
take_letter(struct mail *mail)
{
    struct letter *letter = CONTAINER_OF(mail, struct letter, mail);
    struct inbox  *inbox = letter->inbox;

    cr_assert_eq(letter->number, inbox->next[letter->poster]++, "each poster's order is kept");
    if (++inbox->count == MANY)
        loop_stop(inbox->loop);
}

static void *
post_letters(void *argument)
{
    struct poster *poster = argument;

    for (unsigned i = 0; i < POSTS; i++) {
        poster->letters[i] = (struct letter){ { .deliver = take_letter }, poster->inbox, poster->number, i };
        loop_post(poster->inbox->loop, &poster->letters[i].mail);
        if (i % 64 == 0)
            sched_yield(); /* gives the loop the chance to fall asleep between two posts */
    }
    return NULL;
}

Test(net_mail, no_mail_of_many_threads_is_lost, .timeout = 120)
{
    struct inbox  inbox = { .loop = create_loop() };
    struct poster posters[POSTERS];

    for (unsigned i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){ .inbox = &inbox, .number = i };
        posters[i].letters = calloc(POSTS, sizeof *posters[i].letters);
        cr_assert_eq(pthread_create(&posters[i].thread, NULL, post_letters, &posters[i]), 0);
    }
    loop_run(inbox.loop);
    cr_expect_eq(inbox.count, MANY);
    for (unsigned i = 0; i < POSTERS; i++) {
        pthread_join(posters[i].thread, NULL);
        free(posters[i].letters);
    }
    loop_destroy(&inbox.loop);
}

/* One letter goes to and fro, so that each post meets a loop that sleeps or is just about to. */
enum { VOLLEYS = 20000 };

struct player {
    struct mail    mail;
    struct loop   *loop;
    struct player *other;
    unsigned       strokes;
};

static void
return_ball(struct mail *mail)
{
    struct player *player = CONTAINER_OF(mail, struct player, mail);

    if (++player->strokes <= VOLLEYS)
        loop_post(player->other->loop, &player->other->mail);
    if (player->strokes >= VOLLEYS)
        loop_stop(player->loop);
}

static void *
play(void *argument)
{
    loop_run(((struct player *)argument)->loop);
    return NULL;
}

Test(net_mail, two_loops_wake_each_other, .timeout = 120)
{
    struct player a = { .mail.deliver = return_ball, .loop = create_loop() };
    struct player b = { .mail.deliver = return_ball, .loop = create_loop(), .other = &a };
    pthread_t     thread;

    a.other = &b;
    cr_assert_eq(pthread_create(&thread, NULL, play, &b), 0);
    loop_post(a.loop, &a.mail);
    play(&a);
    pthread_join(thread, NULL);
    cr_expect_geq(a.strokes, VOLLEYS);
    cr_expect_eq(b.strokes, VOLLEYS);
    loop_destroy(&a.loop);
    loop_destroy(&b.loop);
}

static void *
stop_it(void *argument)
{
    loop_stop(argument);
    return NULL;
}

Test(net_mail, stop_from_another_thread_ends_the_run, .timeout = 60)
{
    struct loop *loop = create_loop();

    for (unsigned i = 0; i < 200; i++) {
        pthread_t thread;
        cr_assert_eq(pthread_create(&thread, NULL, stop_it, loop), 0);
        loop_run(loop);
        pthread_join(thread, NULL);
    }
    loop_destroy(&loop);
}
