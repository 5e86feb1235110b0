int good_name(void);
