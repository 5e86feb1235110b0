int nesting(int a)
{
    static const struct pair table[] = {{{1}, {{2}}}, {{3}, {{4}}}};
    for (;;) {
        switch (a) {
        case 1:
            if (a) {
                step((struct pair){{a}, {{a}}});
            }
            break;
        case 2:
            do {
                if (a) {
                    a = table[0].x[0];
                }
            } while (a);
            break;
        }
    }
}
