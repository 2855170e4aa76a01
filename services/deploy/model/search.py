"""What of the infrastructure may be searched, and by which words."""

from services.deploy.model.application import Application
from services.deploy.model.hosting import Hosting
from services.deploy.model.server import Server
from shared.search import Searchable

APPLICATIONS = Searchable(
    Application,
    number="case_number",
    names=("case_number", "code", "name"),
    about=("unit", "vendor", "vendor_name", "contract_number"),
    near=("name", "code", "vendor_name"),
)
HOSTINGS = Searchable(Hosting, names=("subdomain",), text=("purpose",), near=("subdomain",))
SERVERS = Searchable(
    Server, names=("name", "address", "base_domain"), about=("connect_address",), near=("name", "base_domain")
)
