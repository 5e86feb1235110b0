/* Neither sprintf() here counts nor "gets()" in a text, nor a member or a longer name. */
void call(struct call *call, char *out)
{
    sprintf(out, "gets(x) and strtok(x)");
    call->time(out);
    call_time(out);
    int number = atoi(out);
    char *copy = strdup(out);
    printf("%d", number);
    seconds = time(NULL);
    abort(); /* allowed: shows the escape */
    put(__DATE__);
}
