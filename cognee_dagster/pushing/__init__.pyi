from .archives import PushResult as PushResult
from .archives import push_archives as push_archives
from .options import DeliverySettings as DeliverySettings
from .options import PushOptions as PushOptions
from .progress import PushProgress as PushProgress
from .push import push_dataset as push_dataset
from .push import push_graph as push_graph
