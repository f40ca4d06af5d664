/** A descriptor of the operating system, for poll, epoll or select; Windows' handles would fit as well. */
typedef intptr_t milena_fd;
