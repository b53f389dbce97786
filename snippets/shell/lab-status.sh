shimlab status
