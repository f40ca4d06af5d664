/** A topic with the broker's defaults for all but its name: milena_new_topic topic = MILENA_NEW_TOPIC_INIT; */
#define MILENA_NEW_TOPIC_INIT { { NULL, 0 }, -1, -1, NULL, 0 }
