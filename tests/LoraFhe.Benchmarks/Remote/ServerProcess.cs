using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;

namespace LoraFhe.Benchmarks;

/// <summary>A <see cref="ProductServer"/> that was started, and a connection to it.</summary>
internal sealed class ServerProcess : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly Process _process;

    private ServerProcess(Process process, FrameStream frames) => (_process, Frames) = (process, frames);

    /// <summary>Messages to and from it.</summary>
    public FrameStream Frames { get; }

    /// <summary>Starts one and connects, taking no certificate but the one that it made.</summary>
    /// <param name="maxThreads">For one of its products.</param>
    public static ServerProcess Start(int maxThreads)
    {
        var start = ChildProcess.StartInfo([ProductServer.Command, maxThreads.ToString(CultureInfo.InvariantCulture)]);
        var process = Process.Start(start)!;
        var client = new TcpClient { NoDelay = true };
        try
        {
            var line = process.StandardOutput.ReadLine()?.Split(' ') ?? throw new InvalidOperationException("The server process ended before it listened; what it wrote stands above.");
            client.Connect(IPAddress.Loopback, int.Parse(line[0], CultureInfo.InvariantCulture));
            var stream = new SslStream(client.GetStream());
            stream.AuthenticateAsClient(new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                EnabledSslProtocols = SslProtocols.Tls13,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString(HashAlgorithmName.SHA256) == line[1],
            });
            return new ServerProcess(process, new FrameStream(stream));
        }
        catch
        {
            client.Dispose();
            process.Kill();
            process.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        Frames.Dispose();
        _process.StandardInput.Dispose();
        if (!_process.WaitForExit(Patience))
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
