using System.Security.Cryptography;
using System.Text;

namespace LoggingService.Registration;

/// <summary>The tokens of a registration. Not a record: its text would contain them.</summary>
internal sealed class TokenPair(string asToken, string hsToken)
{
    private readonly byte[] _hash = HashOf(hsToken);

    /// <summary>The secret that the service sends to the homeserver.</summary>
    public string AsToken => asToken;

    /// <summary>The secret that the homeserver sends to the service.</summary>
    public string HsToken => hsToken;

    /// <summary>The hash by which tokens are compared, so that the time reveals neither length nor prefix.</summary>
    public static byte[] HashOf(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    public bool HasHsToken(byte[] hash) => CryptographicOperations.FixedTimeEquals(hash, _hash);

    public bool IsSameAs(TokenPair other) => asToken == other.AsToken && hsToken == other.HsToken;
}
