namespace LoggingService.Transactions;

/// <summary>Counts how often each transaction was rejected. Bounded: a homeserver retries one transaction at a time.</summary>
internal sealed class RefusedTransactions
{
    private const int MaxTracked = 100;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _counts = [];

    /// <returns>The count of this transaction, with this rejection.</returns>
    public int Add(string transactionId)
    {
        lock (_lock)
        {
            if (_counts.Count >= MaxTracked && !_counts.ContainsKey(transactionId))
            {
                _counts.Clear();
            }

            return _counts[transactionId] = _counts.GetValueOrDefault(transactionId) + 1;
        }
    }

    public void Remove(string transactionId)
    {
        lock (_lock)
        {
            _counts.Remove(transactionId);
        }
    }
}
