#ifdef __cplusplus
}
#endif

#endif /* MILENA_H */
