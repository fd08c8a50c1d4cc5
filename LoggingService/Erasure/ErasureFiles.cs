using System.Text;
using LoggingService.Files;

namespace LoggingService.Erasure;

/// <summary>
/// How <c>erase</c> and the service exchange a request and its result: <c>logs/.erase</c> and <c>logs/.erase-result</c>, which only the
/// service's user can read. The request stays until the work is done, so that what was interrupted is finished.
/// </summary>
internal sealed class ErasureFiles(string root)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly string _request = Path.Combine(root, ".erase");
    private readonly string _result = Path.Combine(root, ".erase-result");

    /// <summary>The request that waits or was interrupted; <c>null</c> if there is none.</summary>
    public ErasureRequest? ReadRequest() => File.Exists(_request) ? ErasureRequest.Parse(File.ReadAllBytes(_request)) : null;

    /// <summary>Writes a request, durably.</summary>
    public void WriteRequest(ErasureRequest request) =>
        AtomicFile.Replace(_request, OwnerOnly, file => file.Write(request.ToJson()));

    /// <summary>Removes the request, durably, and tells the result.</summary>
    public void End(IEnumerable<string> result)
    {
        Report(result);
        RemoveRequest();
    }

    /// <summary>Tells the result of an attempt; the request stays.</summary>
    public void Report(IEnumerable<string> result) =>
        AtomicFile.Replace(_result, OwnerOnly, file => file.Write(Encoding.UTF8.GetBytes(string.Join('\n', result))));

    public void RemoveRequest()
    {
        File.Delete(_request);
        Posix.Sync(root);
    }

    /// <summary>Takes the lines of the result; <c>null</c> while there is none.</summary>
    public string[]? TakeResult()
    {
        if (!File.Exists(_result))
        {
            return null;
        }

        var lines = File.ReadAllLines(_result);
        File.Delete(_result);
        return lines;
    }
}
