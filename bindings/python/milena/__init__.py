from .producer import *
